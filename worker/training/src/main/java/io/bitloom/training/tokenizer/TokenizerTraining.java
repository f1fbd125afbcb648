package io.bitloom.training.tokenizer;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.codes.CodeUsage;
import io.bitloom.engine.codes.QuantizerConfig;
import io.bitloom.engine.codes.ResidualQuantizer;
import io.bitloom.engine.image.PictureQuality;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.tokenizer.Pixels;
import io.bitloom.engine.tokenizer.TokenizerLayout;
import io.bitloom.engine.tokenizer.TokenizerNames;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.data.TrainingSample;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.optim.AdamW;
import io.bitloom.training.optim.GradientBuckets;
import io.bitloom.training.optim.Gradients;
import io.bitloom.training.optim.MovingAverage;
import io.bitloom.training.optim.Optimizer;
import io.bitloom.training.run.Learner;
import io.bitloom.training.run.Readings;
import io.bitloom.training.run.StepReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains the visual tokenizer: L1 distance of reconstructions, a perceptual term where its weights
 * are given, the quantizer's entropy and commitment terms, and, after a start step, a patch
 * discriminator. Gradients pass straight through the quantizer.
 */
public final class TokenizerTraining implements Learner {
  private static final String WEIGHTS = "tokenizer";
  private static final String AVERAGE = "tokenizer-ema";
  private static final String OPTIMIZER = "optimizer";
  private static final String QUANTIZER = "quantizer";
  private static final String DISCRIMINATOR = "discriminator";
  private static final String DISCRIMINATOR_OPTIMIZER = "discriminator-optimizer";
  private static final String STEPS = "steps";
  private static final int SHOWN = 8;

  private final TokenizerSettings settings;
  private final Processes processes;
  private final Weights weights;
  private final VisualTokenizer model;
  private final ResidualQuantizer quantizer;
  private final Weights quantizerState = new Weights(QUANTIZER);
  private final Gradients gradients;
  private final GradientBuckets buckets;
  private final Optimizer optimizer;
  private final MovingAverage average;
  private final Weights discriminatorWeights; // and how many steps it has learnt for
  private final PatchDiscriminator discriminator;
  private final PerceptualLoss perceptual; // null where no weights are given
  private final Gradients discriminatorGradients;
  private final GradientBuckets discriminatorBuckets;
  private final AdamW discriminatorOptimizer;
  private List<RgbImage> shown = List.of();

  /** Training from new weights, without a perceptual term. */
  public TokenizerTraining(TokenizerSettings settings, Processes processes) {
    this(settings, null, null, processes);
  }

  /**
   * Training of a tokenizer.
   *
   * @param start the first weights, which are copied; null for new ones
   * @param perceptual a term of the loss, which belongs to this object from now on; null for none
   * @throws io.bitloom.engine.tensor.WeightsException naming the tensor, if they do not fit the
   *     architecture
   */
  TokenizerTraining(
      TokenizerSettings settings, Weights start, PerceptualLoss perceptual, Processes processes) {
    this.settings = settings;
    this.perceptual = perceptual;
    this.processes = processes;
    weights = fresh("new tokenizer", TokenizerLayout.of(settings.architecture()), this::learns);
    if (start != null) {
      try (Weights official = start.renamed(TokenizerNames::official)) {
        copy(official, weights);
      }
    }
    model = new VisualTokenizer(settings.architecture(), weights);
    quantizer = settings.quantizer().build(settings.scales(), settings.seed());
    quantizer.state().forEach((name, tensor) -> quantizerState.put(name, new Tensor(tensor)));
    gradients = new Gradients(weights);
    buckets = new GradientBuckets(gradients, processes);
    optimizer = Optimizer.of(weights, settings.adamW(), settings.muon(), processes);
    average = new MovingAverage(weights, settings.averageDecay());
    discriminatorWeights =
        fresh(
            DISCRIMINATOR, PatchDiscriminator.layout(settings.discriminatorWidth()), name -> true);
    discriminator = new PatchDiscriminator(discriminatorWeights);
    discriminatorGradients = new Gradients(discriminatorWeights);
    discriminatorBuckets = new GradientBuckets(discriminatorGradients, processes);
    discriminatorOptimizer = new AdamW(discriminatorWeights, settings.adamW());
    discriminatorWeights.put(STEPS, Tensors.of(new long[1], 1));
  }

  private Weights fresh(String source, Map<String, long[]> layout, Predicate<String> learns) {
    try (Weights first = ConvolutionInitialization.weights(source, layout, settings.seed());
        Weights placed = first.to(settings.device(), DType.F32)) {
      return Gradients.trainableCopy(placed, learns);
    }
  }

  private boolean learns(String name) {
    return !settings.freezeEncoder() || !name.startsWith("encoder.");
  }

  /**
   * Forwards, loss and backwards, part by part; then the gradients of all processes are summed and
   * clipped, the optimizer moves the weights, and their average follows.
   */
  @Override
  public StepReport step(SampleBatch batch) {
    if (batch.samples().isEmpty()) {
      return StepReport.nothing();
    }
    try (Readings readings = new Readings()) {
      double[] losses = learn(batch, readings);
      readings.deliver(readings.read());
      return apply(batch, losses);
    }
  }

  /**
   * The half of a step that makes the gradients; what it finds is only noted.
   *
   * @return the terms of the loss, once the readings are delivered
   */
  double[] learn(SampleBatch batch, Readings readings) {
    gradients.zero();
    discriminatorGradients.zero();
    boolean adversarial = adversarial(batch);
    Losses losses = new Losses(readings, new double[Term.values().length]);
    List<TrainingSample> own = processes.share(batch.samples());
    for (List<TrainingSample> part : batch.parts(own, settings.partTokens())) {
      double share = (double) part.size() / batch.samples().size();
      try (Scope scope = Scope.open()) {
        loss(part, batch.schedule(), adversarial, share, losses).mul(new Scalar(share)).backward();
      }
    }
    buckets.sum();
    readings.add(gradients.unreadNorms(), gradients::measured);
    if (adversarial) {
      discriminatorBuckets.sum();
      readings.add(discriminatorGradients.unreadNorms(), discriminatorGradients::measured);
    }
    return losses.terms();
  }

  private boolean adversarial(SampleBatch batch) {
    return settings.adversarialWeight() > 0 && batch.number() >= settings.adversarialStart();
  }

  /** The half of a step that changes the weights, unless what was found is not finite. */
  StepReport apply(SampleBatch batch, double[] losses) {
    boolean adversarial = adversarial(batch);
    double[] total = processes.sum(losses);
    double norm = gradients.clip(settings.clip());
    boolean sound = Double.isFinite(norm) && Arrays.stream(total).allMatch(Double::isFinite);
    if (adversarial) {
      sound &= Double.isFinite(discriminatorGradients.clip(settings.clip()));
    }
    if (sound) {
      double rate = settings.learningRate().at(batch.number(), settings.steps());
      optimizer.step(rate);
      average.update(optimizer.steps() - 1);
      if (adversarial) {
        discriminatorOptimizer.step(rate);
        discriminatorWeights.get(STEPS).fill_(new Scalar(discriminatorOptimizer.steps()));
      }
    }
    return report(batch, sound, norm, total);
  }

  /**
   * Gathers the terms of the loss.
   *
   * @param terms by {@link Term}, once the readings are delivered
   */
  private record Losses(Readings readings, double[] terms) {
    /** Adds a term of some samples, a scalar, by their share in the batch. */
    void add(Term term, double share, Tensor loss) {
      readings.add(loss, value -> terms[term.ordinal()] += share * value[0]);
    }
  }

  /** The loss of some samples; on the way, the discriminator's gradients are added. */
  private Tensor loss(
      List<TrainingSample> part,
      ScaleSchedule schedule,
      boolean adversarial,
      double share,
      Losses losses) {
    Tensor pictures = pictures(part); // (B, 3, H, W), bytes
    Tensor signal = Pixels.toSignal(pictures); // (B, 3, H, W) in [-1, 1]
    ResidualQuantizer.Quantized quantized =
        quantizer.train(model.features(pictures), scales(schedule));
    Tensor reconstruction = model.decode(quantized.summedCodes()); // (B, 3, H, W)
    Tensor error = reconstruction.sub(signal);
    Tensor l1 = Tensors.abs(error).mean();
    Tensor penalty = quantized.penalty(settings.quantizer());
    Tensor loss = l1.add(penalty);
    if (settings.squaredWeight() > 0) {
      loss = loss.add(Tensors.times(error.square().mean(), settings.squaredWeight()));
    }
    if (perceptual != null) {
      Tensor distance = perceptual.distance(reconstruction, signal);
      loss = loss.add(Tensors.times(distance, perceptual.weight()));
      losses.add(Term.PERCEPTUAL, share, distance);
    }
    if (adversarial) {
      Tensor verdict = verdict(reconstruction, signal, share, losses);
      loss = loss.add(Tensors.times(verdict, settings.adversarialWeight()));
    }
    losses.add(Term.L1, share, l1);
    losses.add(Term.QUANTIZER, share, penalty);
    return loss;
  }

  /** What the discriminator says of reconstructions, after which it learns from them itself. */
  private Tensor verdict(Tensor reconstruction, Tensor signal, double share, Losses losses) {
    discriminator.learns(false);
    Tensor verdict = discriminator.loss(reconstruction);
    losses.add(Term.ADVERSARIAL, share, verdict);
    discriminator.learns(true);
    Tensor hinge = discriminator.hinge(signal, reconstruction.detach());
    hinge.mul(new Scalar(share)).backward();
    losses.add(Term.DISCRIMINATOR, share, hinge);
    return verdict;
  }

  /** The parts of the loss. */
  private enum Term {
    L1,
    PERCEPTUAL,
    QUANTIZER,
    ADVERSARIAL,
    DISCRIMINATOR
  }

  private StepReport report(SampleBatch batch, boolean sound, double norm, double[] losses) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    if (perceptual != null) {
      scalars.put("loss/perceptual", losses[Term.PERCEPTUAL.ordinal()]);
    }
    scalars.put("loss/quantizer", losses[Term.QUANTIZER.ordinal()]);
    scalars.put("loss/adversarial", losses[Term.ADVERSARIAL.ordinal()]);
    scalars.put("loss/discriminator", losses[Term.DISCRIMINATOR.ordinal()]);
    return new StepReport(
        sound,
        losses[Term.L1.ordinal()],
        norm,
        batch.samples().size(),
        batch.tokens(),
        0,
        0,
        scalars);
  }

  /** Pictures (B, 3, H, W) of 8-bit RGB. */
  private Tensor pictures(List<TrainingSample> samples) {
    List<Tensor> pictures = new ArrayList<>();
    for (TrainingSample sample : samples) {
      RgbImage picture = sample.picture();
      pictures.add(Tensors.of(picture.rgb(), 1, picture.height(), picture.width(), 3));
    }
    return Tensors.to(Tensors.concat(pictures, 0).permute(0, 3, 1, 2), settings.device());
  }

  private List<Scale> scales(ScaleSchedule schedule) {
    return settings.quantizer().quantized(settings.architecture().scales(schedule));
  }

  @Override
  public Map<String, Weights> tensors() {
    Map<String, Weights> tensors = new LinkedHashMap<>();
    tensors.put(WEIGHTS, weights);
    tensors.put(AVERAGE, average.average());
    tensors.put(OPTIMIZER, optimizer.state());
    tensors.put(QUANTIZER, quantizerState);
    tensors.put(DISCRIMINATOR, discriminatorWeights);
    tensors.put(DISCRIMINATOR_OPTIMIZER, discriminatorOptimizer.state());
    return tensors;
  }

  @Override
  public long optimizerSteps() {
    return optimizer.steps();
  }

  @Override
  public void restore(Map<String, Weights> stored, long optimizerSteps) {
    copy(stored.get(WEIGHTS), weights);
    copy(stored.get(QUANTIZER), quantizerState);
    copy(stored.get(DISCRIMINATOR), discriminatorWeights);
    average.restore(stored.get(AVERAGE));
    optimizer.restore(stored.get(OPTIMIZER), optimizerSteps);
    discriminatorOptimizer.restore(
        stored.get(DISCRIMINATOR_OPTIMIZER), discriminatorWeights.get(STEPS).item_long());
  }

  private static void copy(Weights from, Weights to) {
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      to.names().forEach(name -> to.get(name).copy_(from.get(name, to.get(name).shape())));
    }
  }

  /** L1 distance, PSNR, SSIM and the use of the codes, with the averaged weights. */
  @Override
  public Map<String, Double> validate(List<SampleBatch> batches) {
    List<RgbImage> pairs = new ArrayList<>();
    CodeUsage usage = new CodeUsage(quantizer.level(0).radices());
    double l1 = 0;
    double psnr = 0;
    double ssim = 0;
    int count = 0;
    try (NoGradGuard noGradients = new NoGradGuard();
        VisualTokenizer averaged =
            new VisualTokenizer(settings.architecture(), average.average())) {
      for (SampleBatch batch : batches) {
        for (TrainingSample sample : batch.samples()) {
          try (Scope scope = Scope.open()) {
            Tensor picture = pictures(List.of(sample));
            ResidualQuantizer.Quantized quantized =
                quantizer.quantize(averaged.features(picture), scales(batch.schedule()));
            quantized.digits().forEach(usage::add);
            Tensor decoded = averaged.decode(quantized.summedCodes());
            l1 += decoded.sub(Pixels.toSignal(picture)).abs().mean().item_double();
            RgbImage reconstruction = image(decoded);
            psnr += PictureQuality.psnr(sample.picture(), reconstruction);
            ssim += PictureQuality.ssim(sample.picture(), reconstruction);
            count++;
            if (pairs.size() < 2 * SHOWN) {
              pairs.add(sample.picture());
              pairs.add(reconstruction);
            }
          }
        }
      }
    }
    shown = pairs;
    Map<String, Double> found = new LinkedHashMap<>();
    found.put("loss", l1 / count);
    found.put("psnr", psnr / count);
    found.put("ssim", ssim / count);
    found.put("digit_entropy", Arrays.stream(usage.digitEntropies()).average().orElse(Double.NaN));
    found.put("dead_digits", (double) usage.deadDigits());
    return found;
  }

  private static RgbImage image(Tensor decoded1x3xHxW) {
    Tensor bytes = Pixels.toBytes(decoded1x3xHxW).permute(0, 2, 3, 1).contiguous();
    return new RgbImage((int) bytes.size(2), (int) bytes.size(1), Tensors.bytes(bytes));
  }

  /** Pictures of the last validation, each beside its reconstruction. */
  @Override
  public List<RgbImage> pictures() {
    return shown;
  }

  /**
   * Writes {@code tokenizer.safetensors}, and {@code quantizer.safetensors} if it has a codebook.
   */
  @Override
  public void export(Path folder) throws IOException {
    String config =
        new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .create()
            .toJson(settings.architecture());
    SafetensorsWriter.write(
        folder.resolve("tokenizer.safetensors"),
        average.average(),
        Map.of("config", config, QuantizerConfig.METADATA, settings.quantizer().json().toString()));
    if (!quantizerState.names().isEmpty()) {
      SafetensorsWriter.write(folder.resolve("quantizer.safetensors"), quantizerState, Map.of());
    }
  }

  @Override
  public void close() {
    if (perceptual != null) {
      perceptual.close();
    }
    discriminatorBuckets.close();
    discriminatorOptimizer.close();
    discriminatorWeights.close();
    average.close();
    optimizer.close();
    buckets.close();
    quantizerState.close();
    quantizer.close();
    model.close();
    weights.close();
  }
}
