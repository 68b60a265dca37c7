# Three images: `docker build -t funaudio-webui .` makes the first.
#
#   --target cpu (the default) the embedded engines and SenseVoice on the CPU, 1.4 GB of models inside
#   --target gpu               the same and SenseVoice and Qwen on the GPU: docker run --gpus all
#   --target cosyvoice         the same and CosyVoice in its own environment
#
# docker run -p 7860:7860 funaudio-webui; options as FUNAUDIO_* variables (-e FUNAUDIO_PROFILE=embedded).
# --build-arg WEIGHTS=small takes the smaller language model (docker run -e FUNAUDIO_SMALL=true); WEIGHTS=none leaves the
# models to a volume, where larger ones are kept, too: docker run -v funaudio-models:/app/models-kept -e
# FUNAUDIO_MODELS_DIR=/app/models-kept
# Saved voices are kept with docker run -v funaudio-voices:/app/voices
FROM python:3.11-slim AS base

# libgomp1 and libatomic1: what onnxruntime, xllamacpp and torch are linked against
RUN apt-get update \
    && apt-get install -y --no-install-recommends libatomic1 libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home app \
    && mkdir -p /app/models-kept /app/voices \
    && chown -R app /app
WORKDIR /app
USER app

COPY --chown=app requirements.lock .
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir -r requirements.lock

ENV FUNAUDIO_HOST=0.0.0.0
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD [".venv/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD [".venv/bin/python", "webui.py"]


FROM base AS gpu
COPY --chown=app requirements.txt requirements-funasr.txt requirements-gpu.txt ./
RUN .venv/bin/pip install --no-cache-dir -r requirements-gpu.txt -c requirements.lock
COPY --chown=app . .
ARG WEIGHTS=default
RUN bash scripts/image_weights.sh "$WEIGHTS"


FROM gpu AS cosyvoice
RUN bash scripts/engine_envs.sh cosyvoice && rm -rf /home/app/.cache/pip


# The last one is what is built where no target is named.
FROM base AS cpu
COPY --chown=app . .
ARG WEIGHTS=default
RUN bash scripts/image_weights.sh "$WEIGHTS"
