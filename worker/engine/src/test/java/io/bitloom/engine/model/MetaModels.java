package io.bitloom.engine.model;

import io.bitloom.engine.codes.CodebookCodes;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import java.util.List;
import java.util.Map;

/** The released architectures, and weights without values for them. */
public final class MetaModels {
  /** The VQVAE of the released VARs. */
  public static final TokenizerConfig VQVAE =
      new TokenizerConfig(32, 16, 160, List.of(1, 1, 2, 2, 4), 2, 4096, 1);

  private MetaModels() {}

  /** Tensors of these shapes on the meta device, float32. */
  public static Weights weights(Map<String, long[]> layout) {
    Weights weights = new Weights("meta");
    try (Scope scope = Scope.open()) {
      layout.forEach(
          (name, shape) -> weights.put(name, Tensors.empty(DType.F32, TorchDevice.META, shape)));
    }
    return weights;
  }

  /** The architecture of a rung of the ladder with the bits of its released tokenizer. */
  public static InfinityConfig config(InfinityPreset preset) {
    int bits = preset == InfinityPreset.LAYER12 ? 16 : preset.spatialPatchify() ? 4 * 14 : 32;
    return InfinityConfig.parse(preset.settings(), bits);
  }

  /** A VAR on the meta device, with the codebook of {@link #VQVAE}. */
  static InfinityTransformer var(InfinityConfig config, Weights weights, DType dtype) {
    try (Weights tokenizer = weights(TokenizerLayout.of(VQVAE))) {
      CodebookCodes codes =
          new CodebookCodes(
              config.bitsPerToken(), config.square().vocabulary(), tokenizer, TorchDevice.META);
      return InfinityTransformer.forInference(config, weights, codes, TorchDevice.META, dtype);
    }
  }
}
