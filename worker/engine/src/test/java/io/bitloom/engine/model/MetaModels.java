package io.bitloom.engine.model;

import io.bitloom.engine.codes.CodebookCodes;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.MetaWeights;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import java.util.List;

/** The released architectures. */
public final class MetaModels {
  /** The VQVAE of the released VARs. */
  public static final TokenizerConfig VQVAE =
      new TokenizerConfig(32, 16, 160, List.of(1, 1, 2, 2, 4), 2, 4096, 1);

  private MetaModels() {}

  /** The architecture of a rung of the ladder with the bits of its released tokenizer. */
  public static InfinityConfig config(InfinityPreset preset) {
    int bits = preset == InfinityPreset.LAYER12 ? 16 : preset.spatialPatchify() ? 4 * 14 : 32;
    return InfinityConfig.parse(preset.settings(), bits);
  }

  /** A VAR on the meta device, with the codebook of {@link #VQVAE}. */
  static InfinityTransformer var(InfinityConfig config, Weights weights, DType dtype) {
    try (Weights tokenizer = MetaWeights.of(TokenizerLayout.of(VQVAE))) {
      CodebookCodes codes =
          new CodebookCodes(
              config.bitsPerToken(), config.square().vocabulary(), tokenizer, TorchDevice.META);
      return InfinityTransformer.forInference(config, weights, codes, TorchDevice.META, dtype);
    }
  }
}
