package io.bitloom.engine.modeldir;

import io.bitloom.engine.checkpoint.TorchFile;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityLayout;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import io.bitloom.engine.tokenizer.TokenizerNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.Scalar;

/** The files of a class-conditional VAR that is as small as one can be, as they are released. */
public final class TinyVar {
  private static final int CHANNELS = 8;
  private static final int TOKENS = 680;

  private static final String TRANSFORMER =
      """
      {"num_classes": 4, "vocab_size": 24, "embed_dim": 32, "depth": 2, "num_heads": 2,
       "attn_l2_norm": true}
      """;

  private static final String TOKENIZER =
      """
      {"codebook_dim": 8, "patch_size": 16, "base_ch": 32, "ch_mult": [1, 1, 1, 1, 1],
       "num_res_blocks": 1, "vocab_size": 24}
      """;

  private TinyVar() {}

  static InfinityConfig transformer() {
    return InfinityConfig.parse(TinyModel.json(TRANSFORMER), CHANNELS);
  }

  static TokenizerConfig tokenizer() {
    return TokenizerConfig.of(TinyModel.json(TOKENIZER));
  }

  /** {@code var_d2.pth}, bare and with the buffers that the official module stores. */
  public static Path writeTransformer(Path folder) throws IOException {
    try (Scope scope = Scope.open();
        Weights weights = TinyModel.weights(InfinityLayout.of(transformer()), 3)) {
      weights.put("lvl_1L", Tensors.zeros(DType.I64, TorchDevice.CPU, 1, TOKENS));
      weights.put(
          "attn_bias_for_masking",
          Tensors.zeros(DType.F32, TorchDevice.CPU, 1, 1, TOKENS, TOKENS)
              .add(new Scalar(Double.NEGATIVE_INFINITY)));
      return TorchFile.bare(folder.resolve("var_d2.pth"), weights);
    }
  }

  /** {@code vae_ch32v24z8.pth}, whose convolutions and norms are not wrapped. */
  public static Path writeTokenizer(Path folder) throws IOException {
    try (Scope scope = Scope.open();
        Weights wrapped = TinyModel.weights(TokenizerLayout.of(tokenizer()), 5);
        Weights weights = new Weights("vae")) {
      for (String name : wrapped.names()) {
        String bare = name.replaceFirst("\\.(conv|norm)\\.(weight|bias)$", ".$2");
        weights.put(TokenizerNames.official(bare).equals(name) ? bare : name, wrapped.get(name));
      }
      weights.put("quantize.ema_vocab_hit_SV", Tensors.zeros(DType.F32, TorchDevice.CPU, 10, 24));
      return TorchFile.bare(folder.resolve("vae_ch32v24z8.pth"), weights);
    }
  }

  /** The names of its classes. */
  public static Path writeClasses(Path folder) throws IOException {
    return Files.writeString(
        folder.resolve("classes.txt"), "tench, Tinca tinca\ngoldfish\nhen\nSiamese cat\n");
  }
}
