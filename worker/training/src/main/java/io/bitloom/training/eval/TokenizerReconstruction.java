package io.bitloom.training.eval;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.codes.ResidualQuantizer;
import io.bitloom.engine.image.PictureQuality;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.image.decode.PictureFile;
import io.bitloom.engine.image.decode.PictureOptions;
import io.bitloom.engine.modeldir.GivenSettings;
import io.bitloom.engine.modeldir.Inspection;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.modeldir.Role;
import io.bitloom.engine.modeldir.StoredQuantizer;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.tokenizer.Pixels;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Takes pictures through a visual tokenizer and back, in float32, to see what it keeps of them. */
public final class TokenizerReconstruction implements AutoCloseable {
  private static final String CODEBOOK = "quantizer.safetensors";

  private final VisualTokenizer tokenizer;
  private final QuantizerConfig quantizer;
  private final Path codebook; // null for the tokenizer of a model directory, which has none
  private final TorchDevice device;

  /**
   * What became of a picture.
   *
   * @param original the picture as the tokenizer saw it: resized and cut to the schedule's shape
   * @param reconstruction what the decoder made of its digits
   * @param psnr peak signal-to-noise ratio in decibels
   * @param ssim structural similarity
   * @param bits that the digits of all scales amount to
   */
  public record Outcome(
      RgbImage original, RgbImage reconstruction, double psnr, double ssim, double bits) {}

  private TokenizerReconstruction(
      TokenizerConfig config,
      Weights weights,
      QuantizerConfig quantizer,
      Path codebook,
      TorchDevice device) {
    this.quantizer = quantizer;
    this.codebook = codebook;
    this.device = device;
    if (config.vectorQuantized()) {
      weights.close();
      throw new WeightsException(
          weights.source(), "is a VAR's tokenizer, whose codes can be drawn, but not found");
    }
    try (Weights stored = weights;
        Weights placed = stored.to(device, DType.F32)) {
      tokenizer = new VisualTokenizer(config, placed);
    }
  }

  /** The tokenizer of a model directory. */
  public static TokenizerReconstruction of(ModelDirectory model, TorchDevice device) {
    TokenizerConfig config = model.tokenizer();
    return new TokenizerReconstruction(
        config,
        model.tokenizerWeights(),
        QuantizerConfig.of(QuantizerConfig.Kind.BSQ, config.codebookDim()),
        null,
        device);
  }

  /**
   * The tokenizer of a weight file: one that Bitloom trained, with whichever quantizer, or an
   * official one.
   *
   * @throws WeightsException naming the file, and what is wrong with it
   */
  public static TokenizerReconstruction of(Path file, TorchDevice device) {
    Checkpoint checkpoint = Checkpoints.read(file);
    Inspection inspection = Inspection.of(checkpoint, Role.TOKENIZER, GivenSettings.none());
    TokenizerConfig config = inspection.tokenizer();
    List<String> faults = inspection.faults();
    if (!faults.isEmpty()) {
      throw new WeightsException(faults.get(0));
    }
    QuantizerConfig quantizer = StoredQuantizer.of(checkpoint, config);
    return new TokenizerReconstruction(
        config, checkpoint.load(), quantizer, file.resolveSibling(CODEBOOK), device);
  }

  /**
   * A picture, upright and in sRGB, in the nearest aspect ratio of a size.
   *
   * @throws IOException if the picture cannot be read
   * @throws WeightsException naming the codebook's file, if it does not fit
   */
  public Outcome reconstruct(Path picture, SizeClass size) throws IOException {
    PictureFile.Size shape = PictureFile.size(picture, PictureOptions.AS_SEEN);
    ScaleSchedule schedule = ScaleSchedules.nearest((double) shape.height() / shape.width(), size);
    RgbImage original =
        PictureFile.fitted(
            picture,
            schedule.pixelWidth(),
            schedule.pixelHeight(),
            PictureOptions.AS_SEEN,
            remark -> {});
    List<Scale> scales = quantizer.quantized(tokenizer.config().scales(schedule));
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard();
        ResidualQuantizer levels = quantizer(scales.size())) {
      Tensor pixels =
          Tensors.of(original.rgb(), 1, original.height(), original.width(), 3)
              .permute(0, 3, 1, 2)
              .to(device.torch(), DType.U8.torch()); // (1, 3, H·p, W·p)
      ResidualQuantizer.Quantized quantized = levels.quantize(tokenizer.features(pixels), scales);
      Tensor decoded =
          Pixels.toBytes(tokenizer.decode(quantized.summedCodes())); // (1, 3, H·p, W·p)
      byte[] rgb = Tensors.bytes(decoded.permute(0, 2, 3, 1).contiguous());
      RgbImage reconstruction = new RgbImage(original.width(), original.height(), rgb);
      return new Outcome(
          original,
          reconstruction,
          PictureQuality.psnr(original, reconstruction),
          PictureQuality.ssim(original, reconstruction),
          bits(levels, scales));
    }
  }

  private static double bits(ResidualQuantizer levels, List<Scale> scales) {
    double bits = 0;
    for (int k = 0; k < scales.size(); k++) {
      double ofToken =
          Arrays.stream(levels.level(k).radices())
              .mapToDouble(n -> Math.log(n) / Math.log(2))
              .sum();
      bits += scales.get(k).tokens() * ofToken;
    }
    return bits;
  }

  /** The quantizer for a number of scales, with its codebook if it has one. */
  private ResidualQuantizer quantizer(int scales) {
    ResidualQuantizer levels = quantizer.build(scales, 0);
    try {
      if (!levels.state().isEmpty()) {
        if (!Files.isRegularFile(codebook)) {
          throw new WeightsException(
              codebook.toString(), "is missing: the codebook of the tokenizer beside it");
        }
        try (Weights stored = Checkpoints.open(codebook)) {
          levels.state().forEach((name, tensor) -> tensor.copy_(stored.get(name, tensor.shape())));
        }
      }
      return levels;
    } catch (RuntimeException e) {
      levels.close();
      throw e;
    }
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
