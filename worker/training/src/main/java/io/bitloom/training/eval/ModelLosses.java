package io.bitloom.training.eval;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.codes.BitwiseSelfCorrection;
import io.bitloom.engine.codes.Flips;
import io.bitloom.engine.image.PictureQuality;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.model.BitLoss;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import io.bitloom.training.data.demo.Composition;
import io.bitloom.training.data.demo.DemoDataset;
import io.bitloom.training.data.demo.DemoExample;
import io.bitloom.training.data.demo.DemoPictures;
import io.bitloom.training.data.demo.PictureReader;
import io.bitloom.training.data.demo.Reading;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * How well a model rebuilds and predicts held-out pictures: PSNR and SSIM of its tokenizer, and the
 * transformer's loss with teacher forcing and without flipped bits.
 *
 * @param pictures that were looked at
 * @param psnr mean over pictures, in decibels
 * @param ssim mean over pictures
 * @param bitLoss cross entropy a bit in nats, mean over bits and pictures; NaN for models that do
 *     not predict bits
 * @param bitAccuracy share of bits whose likelier state is right; NaN likewise
 * @param reconstructions what the checker reads from the reconstructions: no prompt can be followed
 *     better than the tokenizer can show
 */
public record ModelLosses(
    int pictures,
    double psnr,
    double ssim,
    double bitLoss,
    double bitAccuracy,
    Tally reconstructions) {

  /** Measures on the first examples of the held-out set of a seed, in float32 on the CPU. */
  public static ModelLosses measure(ModelDirectory directory, int pictures, long seed) {
    InfinityConfig config = directory.transformer();
    try (NoGradGuard noGradients = new NoGradGuard();
        TextEncoder texts = directory.textEncoder(TorchDevice.CPU, DType.F32);
        Weights tokenizerWeights = directory.tokenizerWeights();
        Weights tokenizerFloats = tokenizerWeights.to(TorchDevice.CPU, DType.F32);
        VisualTokenizer tokenizer = new VisualTokenizer(directory.tokenizer(), tokenizerFloats);
        Weights weights = directory.transformerWeights();
        InfinityTransformer transformer =
            InfinityTransformer.forInference(config, weights, TorchDevice.CPU, DType.F32)) {
      DemoDataset dataset = DemoDataset.heldOut(seed);
      DemoPictures drawings = new DemoPictures();
      PictureReader reader = new PictureReader();
      Tally reconstructions = new Tally();
      double[] sums = new double[4];
      for (int i = 0; i < pictures; i++) {
        try (Scope scope = Scope.open()) {
          DemoExample example = dataset.example(i);
          RgbImage picture = drawings.draw(example);
          List<Scale> scales = tokenizer.config().scales(example.schedule());
          Tensor features = tokenizer.features(tensor(picture));
          RgbImage rebuilt = rebuilt(tokenizer, features, scales);
          sums[0] += PictureQuality.psnr(picture, rebuilt);
          sums[1] += PictureQuality.ssim(picture, rebuilt);
          Composition shown = example.composition();
          Reading reading = reader.read(rebuilt, example.schedule(), shown.subjects().size());
          reconstructions.add(shown, reading, reading.against(shown, example.schedule()));
          if (config.bitLabels()) {
            BitwiseSelfCorrection.Corrected target =
                new BitwiseSelfCorrection(
                        tokenizer.quantizer(),
                        BitwiseSelfCorrection.Config.withoutFlips(config.spatialPatchify()))
                    .correct(features, scales, Flips.NONE);
            Tensor logits =
                transformer.forward(
                    texts.encode(List.of(example.caption()), config.textMaxLength()),
                    List.of(false),
                    target.inputs(),
                    example.schedule().scales());
            Tensor loss = BitLoss.perBit(logits, target.labels());
            sums[2] += Tensors.doubles(loss.mean())[0];
            // A bit's cross entropy is below ln 2 where its likelier state is right.
            Tensor right = loss.lt(new org.bytedeco.pytorch.Scalar(Math.log(2)));
            sums[3] += Tensors.doubles(Tensors.to(right, DType.F32).mean())[0];
          }
        }
      }
      boolean bits = config.bitLabels();
      return new ModelLosses(
          pictures,
          sums[0] / pictures,
          sums[1] / pictures,
          bits ? sums[2] / pictures : Double.NaN,
          bits ? sums[3] / pictures : Double.NaN,
          reconstructions);
    }
  }

  private static RgbImage rebuilt(VisualTokenizer tokenizer, Tensor features, List<Scale> scales) {
    Tensor summedCodes = tokenizer.quantizer().encode(features, scales).summedCodes();
    Tensor picture = tokenizer.pictures(summedCodes); // (1, H, W, 3)
    return new RgbImage((int) picture.size(2), (int) picture.size(1), Tensors.bytes(picture));
  }

  private static Tensor tensor(RgbImage picture) {
    return Tensors.of(picture.rgb(), 1, picture.height(), picture.width(), 3).permute(0, 3, 1, 2);
  }
}
