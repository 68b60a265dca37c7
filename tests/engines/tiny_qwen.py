"""A Qwen3 of two layers that has learnt a few answers by heart: real transformers, real safetensors, 1 MB, some seconds.

Needs torch and transformers: it runs in ``.cache/env-funasr``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from webui.engines.openai_wire import message_json, tool_json
from webui.engines.protocols import ChatRequest, Message, Tool
from webui.engines.structured import told

TIME = Tool(
    "get_time",
    "The time in a city",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
MOOD = {
    "type": "object",
    "properties": {"mood": {"enum": ["happy", "sad"]}},
    "required": ["mood"],
    "additionalProperties": False,
}
HELLO = "Hello there, how are you today?"
ENDLESS = "one two three four five six seven eight " * 12

# The turns of Qwen3's template, in our own words: roles, tools, and an empty thought where thinking is off.
TEMPLATE = """
{%- if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}{% for call in message.tool_calls or [] %}<tool_call>
{{ call.function | tojson }}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and not enable_thinking %}<think>

</think>

{% endif %}{% endif %}"""


def ask(text: str, **options: Any) -> ChatRequest:
    return ChatRequest((Message("system", "Be kind."), Message("user", text)), temperature=0.0, **options)


LESSONS = (
    (ask("Say hello."), f"{HELLO}<|im_end|>"),
    (ask("Count."), ENDLESS),  # and never an end
    (
        ask("What time is it in Paris?", tools=(TIME,)),
        '<tool_call>\n{"name": "get_time", "arguments": {"city": "Paris"}}\n</tool_call><|im_end|>',
    ),
    (told(ask("I lost my dog.", schema=MOOD)), '```json\n{"mood": "sad"}\n```<|im_end|>'),
)


def build(folder: Path) -> None:
    """Make the model in ``folder``."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    torch.set_num_threads(1)  # so little work is done fastest alone
    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=4096, tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, bos_token_id=None,
    )  # fmt: skip
    model = Qwen3ForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    lessons = [_lesson(tokenizer, request, answer) for request, answer in LESSONS]
    longest = max(len(ids) for ids, _ in lessons)
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in lessons])
    labels = torch.tensor([labels + [-100] * (longest - len(labels)) for _, labels in lessons])
    for _ in range(300):
        loss = model(input_ids=ids, labels=labels).loss
        if loss < 0.01:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval().save_pretrained(folder, safe_serialization=True)


def _lesson(tokenizer: Any, request: ChatRequest, answer: str) -> tuple[list[int], list[int]]:
    """The tokens of a chat with its answer, and those to be learnt: the answer's."""
    prompt = tokenizer.apply_chat_template(
        [message_json(m) for m in request.messages],
        tools=[tool_json(tool) for tool in request.tools] or None,
        add_generation_prompt=True, tokenize=False, enable_thinking=False,
    )  # fmt: skip
    before = tokenizer(prompt, add_special_tokens=False).input_ids
    after = tokenizer(answer, add_special_tokens=False).input_ids
    return before + after, [-100] * len(before) + after


def _tokenizer() -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    texts = [text for request, answer in LESSONS for text in (*(m.content for m in request.messages), answer)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False))
    core.add_special_tokens([AddedToken(t, special=True) for t in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    core.add_tokens([AddedToken(t, special=False) for t in ("<think>", "</think>", "<tool_call>", "</tool_call>")])
    return PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE
    )
