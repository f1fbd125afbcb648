"""Makes var.safetensors: what the official VAR draws with small models of rule weights.

Run beside a checkout of github.com/FoundationVision/VAR (PYTHONPATH) with PyTorch, safetensors
and, for huggingface_hub, an empty class PyTorchModelHubMixin:

    python make_var_fixture.py FOLDER    # also writes official-keys-var-d16.txt and -vae-var.txt
"""

import math
import re
import sys
import types

import numpy as np
import torch
from safetensors.torch import save_file

hub = types.ModuleType("huggingface_hub")
hub.PyTorchModelHubMixin = type("PyTorchModelHubMixin", (), {})
sys.modules.setdefault("huggingface_hub", hub)
from models import var as official  # noqa: E402
from models.vqvae import VQVAE  # noqa: E402

MASK = (1 << 64) - 1
SIDES = (1, 2, 3, 4)
LABELS = (3, 7)
GUIDANCE = 2.5
CASES = {
    "cosine": dict(attn_l2_norm=True, shared_aln=False),
    "dot": dict(attn_l2_norm=False, shared_aln=True),
}


def rule(name, shape, offset, scale):
    """The values of Bitloom's RuleTensor with seed 1."""
    start = 0xCBF29CE484222325
    for byte in name.encode():
        start = ((start ^ byte) * 0x100000001B3) & MASK
    count = int(np.prod(shape))
    old = np.seterr(over="ignore")
    z = np.uint64((start + 0xD1B54A32D192ED03) & MASK)
    z = z + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    np.seterr(**old)
    unit = (z >> np.uint64(40)).astype(np.float64) / 2.0**24
    return torch.from_numpy((offset + scale * (2 * unit - 1)).astype(np.float32).reshape(shape))


def infixed(name):
    """The name with .conv and .norm before .weight, as Bitloom's layouts have it."""
    convolutions = r"conv_in|conv_out|conv1|conv2|nin_shortcut|(?:down|up)sample\.conv"
    convolutions += r"|qkv|proj_out|quant_conv|qresi_ls\.\d+"
    name = re.sub(rf"^(.*(?:{convolutions}))\.(weight|bias)$", r"\1.conv.\2", name)
    return re.sub(r"^(.*(?:norm1|norm2|norm_out))\.(weight|bias)$", r"\1.norm.\2", name)


def fill(module, rename):
    for key, tensor in module.state_dict().items():
        if key.endswith(("zero_k_bias", "lvl_1L", "attn_bias_for_masking", "ema_vocab_hit_SV")):
            continue
        name = rename(key)
        shape = tuple(tensor.shape)
        offset = 1 if len(shape) == 1 and name.endswith("norm.weight") else 0
        scale = 0.3
        if len(shape) == 4 and shape[1] > 1 and shape[0] > 1:
            scale = 1.7 / math.sqrt(shape[1] * shape[2] * shape[3])
        if len(shape) == 2:
            scale = 1.7 / math.sqrt(shape[1])
        tensor.copy_(rule(name, shape, offset, scale))
    return module.eval()


def draw(vae, var):
    logits, codes, inputs = [], [], []
    sample = official.sample_with_top_k_top_p_
    step = vae.quantize.get_next_autoregressive_input

    def sampled(given, **arguments):
        logits.append(given.clone())
        drawn = sample(given, **arguments)
        codes.append(drawn[:, :, 0].clone())
        return drawn

    def stepped(*arguments):
        summed, following = step(*arguments)
        inputs.append(following.clone())
        return summed, following

    official.sample_with_top_k_top_p_ = sampled
    vae.quantize.get_next_autoregressive_input = stepped
    picture = var.autoregressive_infer_cfg(
        len(LABELS), torch.tensor(LABELS), g_seed=0, cfg=GUIDANCE, top_k=1
    )
    official.sample_with_top_k_top_p_ = sample
    tensors = {f"logits/{k}": x for k, x in enumerate(logits)}
    tensors |= {f"codes/{k}": x for k, x in enumerate(codes)}
    tensors |= {"sum": inputs[-1], "picture": (picture * 2 - 1)[:1]}
    embedded = vae.quantize.idxBl_to_var_input(codes)
    var.cond_drop_rate = 0
    tensors["forced"] = var(torch.tensor(LABELS), embedded)
    return tensors


def keys(module, path, title):
    with open(path, "w") as out:
        out.write(f"# {title}: keys and shapes of state_dict() of the official implementation\n")
        for key, tensor in module.state_dict().items():
            out.write(f"{key} {'x'.join(str(n) for n in tensor.shape)}\n")


@torch.no_grad()
def main(folder):
    torch.nn.init.trunc_normal_ = lambda tensor, **arguments: tensor
    torch.nn.Linear.reset_parameters = lambda self: None
    torch.nn.Conv2d.reset_parameters = lambda self: None
    vae = VQVAE(vocab_size=24, z_channels=8, ch=32, v_patch_nums=SIDES)
    fill(vae, infixed)
    tensors = {}
    for name, settings in CASES.items():
        var = official.VAR(
            vae, num_classes=10, depth=2, embed_dim=32, num_heads=2, patch_nums=SIDES, **settings
        )
        fill(var, lambda key: key)
        tensors |= {f"{name}/{key}": x.contiguous() for key, x in draw(vae, var).items()}
    save_file(tensors, f"{folder}/var.safetensors", metadata={})
    vae = VQVAE(vocab_size=4096, z_channels=32, ch=160)
    keys(vae, f"{folder}/official-keys-vae-var.txt", "vae_ch160v4096z32")
    var = official.VAR(
        vae, depth=16, embed_dim=1024, num_heads=16, norm_eps=1e-6, attn_l2_norm=True
    )
    keys(var, f"{folder}/official-keys-var-d16.txt", "var_d16")


main(sys.argv[1])
