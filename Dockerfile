# With the default models inside (1.4 GB):
#   docker build -t funaudio-webui . && docker run -p 7860:7860 funaudio-webui
# With the smaller language model: docker build --build-arg WEIGHTS=small, and docker run -e FUNAUDIO_SMALL=true
# With the models in a volume, fetched at first use: docker build --build-arg WEIGHTS=none, and
#   docker run -v funaudio-models:/app/models-kept -e FUNAUDIO_MODELS_DIR=/app/models-kept
FROM python:3.11-slim

# libgomp1: the language model's threads
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home app && mkdir -p /app/models-kept && chown -R app /app
WORKDIR /app
USER app

COPY --chown=app requirements.txt .
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir -r requirements.txt
COPY --chown=app . .

# default, small, or none
ARG WEIGHTS=default
RUN case "$WEIGHTS" in \
        none) ;; \
        small) .venv/bin/python -m webui.models fetch --small ;; \
        *) .venv/bin/python -m webui.models fetch ;; \
    esac

ENV FUNAUDIO_HOST=0.0.0.0
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD [".venv/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD [".venv/bin/python", "webui.py"]
