"""Makes the tokenizer fixtures of this folder: python3 make_fixtures.py

Needs the packages sentencepiece (0.2.2 was used) and tokenizers (0.23.2). The tokenizers are trained
on sentences that this script puts together. expected_ids.json holds the ids that the two Python
libraries give for each text, end token included; where they disagree, the disagreement is listed.
"""

import json
import os
import random

import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

THINGS = """fox dog cat owl horse whale lighthouse castle bicycle teapot violin apple pear lemon mushroom tree river
mountain harbour bridge robot astronaut sailor child woman man""".split()
LOOKS = """red blue green golden tiny huge old broken shining sleepy wooden transparent striped furry rusty
quiet""".split()
ACTS = "sleeping running dancing waiting reading flying swimming laughing".split()
PLACES = ["in fresh snow", "at dusk", "under a full moon", "on a table", "by the sea", "in a storm",
          "in the desert", "behind a window", "among tall grass", "on the roof of a house"]
STYLES = ["oil painting", "watercolour", "photograph, 35mm", "pencil drawing", "isometric render",
          "woodcut", "close-up, soft light", "wide angle, high detail"]

TEXTS = [
    "", " ", "   \t \n ", "a red fox", "A red fox asleep in fresh snow, oil painting.",
    "  two   spaces\tand\na newline  ", "ＦＵＬＬ ｗｉｄｔｈ １２３", "ﬁne ﬂoor Ⅳ ½ ²", "café naïve Größe",
    "cafe\u0301 nai\u0308ve", "no\u00a0break\u2003em\u200bzero\ufeffbom\u00adsoft",
    "a fox 🦊 and a 👩\u200d🚀🏽 flag 🇩🇪", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝓕𝓸𝔁", "一只红色的狐狸", "лиса в снегу", "ثعلب أحمر", "한국어 여우",
    "bell\u0007 null\u0000 esc\u001b[0m del\u007f", "line\u2028sep\u2029para\u0085nel", "x" * 300,
    "▁a▁red▁fox", "a </s> b", "<pad> fox <extra_id_0>", "a\u0301\u0301 \u0301leading accent", "ｶﾞｷﾞ ㍿ ㎏",
    "don't stop: 50% off! (really?) \"yes\" #1 @home $5 a_b a-b a/b", "…—–‘’“”", "\ufffd\U0010ffff",
    "a castle by the sea, " * 120,
]
END = 1


def corpus():
    random.seed(7)
    for _ in range(6000):
        look = f"{random.choice(LOOKS)}, {random.choice(LOOKS)}"
        text = f"{random.choice(['A', 'a', 'The', 'Two', 'three'])} {look} {random.choice(THINGS)}"
        text += f" {random.choice(ACTS)} {random.choice(PLACES)}"
        if random.random() < .5:
            text += ", " + random.choice(STYLES)
        if random.random() < .3:
            text += f" next to a {random.choice(LOOKS)} {random.choice(THINGS)}"
        if random.random() < .2:
            text += f"; seed {random.randrange(1000)}, café naïve Größe"
        yield text + "."


def train(name, **settings):
    spm.SentencePieceTrainer.train(
        sentence_iterator=corpus(), model_prefix=name, model_type="unigram", pad_id=0, eos_id=END,
        unk_id=2, bos_id=-1, num_threads=1, minloglevel=2, **settings)
    os.rename(name + ".model", name)
    os.remove(name + ".vocab")


def pieces(name):
    model = sentencepiece_model_pb2.ModelProto()
    with open(name, "rb") as file:
        model.ParseFromString(file.read())
    return [(piece.piece, piece.score) for piece in model.pieces], model.normalizer_spec


def fast_tokenizer(name, normalizer):
    """The tokenizer.json that Hugging Face's converter for T5 would write."""
    vocabulary, spec = pieces(name)
    tokenizer = Tokenizer(Unigram(vocabulary, 2, byte_fallback="byte" in name))
    steps = [normalizer(spec)] if normalizer else []
    steps += [normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens(["</s>", "<unk>", "<pad>"] + [f"<extra_id_{99 - i}>" for i in range(100)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["$A", "</s>"], pair=["$A", "</s>", "$B", "</s>"], special_tokens=[("</s>", END)])
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def main():
    train("spiece.model", vocab_size=400, normalization_rule_name="nmt_nfkc")
    train("byte_fallback.model", vocab_size=600, normalization_rule_name="identity", byte_fallback=True)
    charsmap = lambda spec: normalizers.Precompiled(spec.precompiled_charsmap)
    tokenizers = {
        "spiece.model": fast_tokenizer("spiece.model", charsmap),
        "byte_fallback.model": fast_tokenizer("byte_fallback.model", None),
        # Without the map of characters, which is the bulk of spiece.model.
        "tokenizer.json": fast_tokenizer("spiece.model", lambda spec: normalizers.NFKC()),
    }
    tokenizers["tokenizer.json"].save("tokenizer.json", pretty=False)
    expected = {"texts": TEXTS}
    for name, tokenizer in tokenizers.items():
        expected[name] = [tokenizer.encode(text).ids for text in TEXTS]
        if name.endswith(".model"):
            reference = spm.SentencePieceProcessor(model_file=name)
            expected[name + " disagreements"] = [
                text for text, ids in zip(TEXTS, expected[name]) if reference.encode(text) + [END] != ids]
    with open("expected_ids.json", "w") as file:
        json.dump(expected, file, indent=None, separators=(",", ":"))
        file.write("\n")
    print({key: value for key, value in expected.items() if key.endswith("disagreements")})


if __name__ == "__main__":
    main()
