package io.bitloom.training.transformer;

import io.bitloom.common.schedule.Scale;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.checkpoint.SafetensorsWriter;
import io.bitloom.engine.codes.Bits;
import io.bitloom.engine.codes.BitwiseSelfCorrection;
import io.bitloom.engine.codes.Flips;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.model.BitLoss;
import io.bitloom.engine.model.InfinityTransformer;
import io.bitloom.engine.model.RecomputedPass;
import io.bitloom.engine.nn.LowRank;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.TextEncoder;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import io.bitloom.training.data.FeatureCache;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.data.TrainingSample;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.optim.GradientBuckets;
import io.bitloom.training.optim.Gradients;
import io.bitloom.training.optim.MovingAverage;
import io.bitloom.training.optim.Optimizer;
import io.bitloom.training.run.Learner;
import io.bitloom.training.run.Readings;
import io.bitloom.training.run.StepReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * Trains the transformer: teacher forcing on all scales at once, inputs and labels from bitwise
 * self-correction, cross entropy of every bit, AdamW or Muon. A batch may be cut into parts
 * (gradient accumulation) and shared among processes; its gradient is the same.
 */
public final class TransformerTraining implements Learner {
  private static final String WEIGHTS = "transformer";
  private static final String AVERAGE = "transformer-ema";
  private static final String OPTIMIZER = "optimizer";
  private static final String ADAPTER = "adapter.safetensors";

  private final TransformerSettings settings;
  private final TextEncoder frozenText;
  private final VisualTokenizer tokenizer;
  private final FeatureCache cache; // null for none
  private final TrainedModel directory;
  private final Weights weights; // of the transformer and of a text encoder that learns with it
  private final Weights transformerWeights; // those of the transformer
  private final Weights stored; // those that a checkpoint needs: all, or the low-rank changes
  private final TextEncoder textEncoder;
  private final InfinityTransformer model;
  private final Gradients gradients;
  private final GradientBuckets buckets;
  private final Optimizer optimizer;
  private final MovingAverage average;
  private final Processes processes;

  /**
   * Training of a transformer.
   *
   * @param start the first weights, which are copied; those of a text encoder that learns as well
   *     are among them
   * @param frozenText text encoder, which belongs to this object from now on
   * @param tokenizer makes the features of pictures, and belongs to this object too
   * @param cache where features of pictures are kept; null for nowhere
   * @param directory writes the finished model
   */
  public TransformerTraining(
      TransformerSettings settings,
      Weights start,
      TextEncoder frozenText,
      VisualTokenizer tokenizer,
      FeatureCache cache,
      TrainedModel directory,
      Processes processes) {
    this.settings = settings;
    this.frozenText = frozenText;
    this.tokenizer = tokenizer;
    this.cache = cache;
    this.directory = directory;
    this.processes = processes;
    try (Weights placed = start.to(settings.device(), DType.F32)) {
      weights = Gradients.trainableCopy(placed, settings::learns);
    }
    transformerWeights = transformerPart(weights);
    stored = part(weights, settings.lora() == null ? name -> true : LowRank::isPart);
    model =
        InfinityTransformer.forTraining(
            settings.architecture(), transformerWeights, settings.device(), settings.precision());
    textEncoder = textEncoder(weights);
    gradients = new Gradients(weights);
    buckets = new GradientBuckets(gradients, processes);
    optimizer = Optimizer.of(weights, settings.adamW(), settings.muon(), processes);
    average = new MovingAverage(stored, settings.averageDecay());
  }

  /** How the transformer is trained. */
  TransformerSettings settings() {
    return settings;
  }

  /** The same tensors without those of the text encoder; both sets are closed on their own. */
  private static Weights transformerPart(Weights all) {
    return part(all, name -> !name.startsWith(JointText.PREFIX));
  }

  private static Weights part(Weights all, Predicate<String> names) {
    Weights part = new Weights(all.source());
    all.names().stream().filter(names).forEach(name -> part.put(name, new Tensor(all.get(name))));
    return part;
  }

  /** The whole transformer with averaged weights; to be closed. */
  private Weights averagedTransformer() {
    return wholeTransformer(average.average());
  }

  /** The whole transformer: all of these weights, or the frozen ones with these changes made. */
  private Weights wholeTransformer(Weights learnt) {
    if (settings.lora() == null) {
      return transformerPart(learnt);
    }
    try (Weights changed = part(transformerWeights, name -> !LowRank.isPart(name))) {
      changed.share(learnt);
      return Lora.merged(changed);
    }
  }

  /** The encoder that learns, with these weights; the frozen one where none learns. */
  private TextEncoder textEncoder(Weights all) {
    return directory != null && directory.jointText() != null
        ? directory.jointText().encoder(all)
        : frozenText;
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
      BatchLoss loss = learn(batch, readings);
      readings.deliver(readings.read());
      return apply(batch, loss);
    }
  }

  /** The half of a step that makes the gradients; what it finds is only noted. */
  BatchLoss learn(SampleBatch batch, Readings readings) {
    gradients.zero();
    List<Scale> scales = trainedScales(batch);
    BatchLoss total = new BatchLoss(scales, readings);
    List<TrainingSample> own = processes.share(batch.samples());
    for (List<TrainingSample> part : batch.parts(own, settings.partTokens())) {
      try (Scope scope = Scope.open()) {
        learn(batch, part, scales, total);
      }
    }
    buckets.sum();
    readings.add(gradients.unreadNorms(), gradients::measured);
    return total;
  }

  /** The half of a step that changes the weights, unless what was found is not finite. */
  StepReport apply(SampleBatch batch, BatchLoss total) {
    total.sum(processes);
    double norm = gradients.clip(settings.clip());
    boolean sound = Double.isFinite(total.loss()) && Double.isFinite(norm);
    if (sound) {
      optimizer.step(settings.learningRate().at(batch.number(), settings.steps()));
      average.update(optimizer.steps() - 1);
    }
    int samples = batch.samples().size();
    List<Scale> scales = trainedScales(batch);
    return new StepReport(
        sound,
        total.loss(),
        norm,
        samples,
        total.tokens(),
        settings.flops(scales) * samples,
        settings.recomputedFlops(scales) * samples,
        total.scalars());
  }

  private List<Scale> trainedScales(SampleBatch batch) {
    return settings.objective().trainedScales(batch.schedule(), batch.number());
  }

  /** Adds the gradients of some samples of a batch. */
  private void learn(
      SampleBatch batch, List<TrainingSample> part, List<Scale> scales, BatchLoss total) {
    Objective objective = settings.objective();
    BitwiseSelfCorrection.Corrected target =
        corrected(
            objective.selfCorrection(settings.architecture().spatialPatchify()),
            objective.flips(settings.seed(), batch.number(), part),
            part,
            batch.schedule(),
            scales);
    PackedRows texts = texts(textEncoder, part);
    List<Boolean> dropped =
        part.stream().map(sample -> objective.dropsCondition(settings.seed(), sample)).toList();
    double share = (double) part.size() / batch.samples().size();
    if (settings.recompute()) {
      RecomputedPass pass = model.forwardToRecompute(texts, dropped, target.inputs(), scales);
      loss(pass.logits(), target, scales, share, total).backward();
      pass.backward();
    } else {
      Tensor logits = model.forward(texts, dropped, target.inputs(), scales); // (B, L, V)
      loss(logits, target, scales, share, total).backward();
    }
  }

  /** Text features of samples, with gradients where the encoder learns. */
  private PackedRows texts(TextEncoder encoder, List<TrainingSample> samples) {
    PackedRows rows =
        encoder.encode(
            samples.stream().map(TrainingSample::caption).toList(),
            settings.architecture().textMaxLength());
    Tensor placed = Tensors.to(rows.rows(), settings.device(), DType.F32);
    return new PackedRows(placed.clone(), rows.lengths()); // out of inference mode
  }

  /**
   * The tokenizer's features of samples (B, d, H, W), from the cache where it has them. Pictures
   * are encoded one by one, so that a picture's features do not depend on its batch.
   */
  private Tensor features(List<TrainingSample> samples, ScaleSchedule schedule) {
    List<Scale> scales = tokenizer.config().scales(schedule);
    Scale full = scales.get(scales.size() - 1);
    List<Tensor> features = new ArrayList<>();
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      for (TrainingSample sample : samples) {
        features.add(sample.features() == null ? encode(sample) : known(sample, full));
      }
      return scope.keep(Tensors.concat(features, 0)); // (B, d, H, W)
    }
  }

  private Tensor known(TrainingSample sample, Scale full) {
    long d = tokenizer.config().codebookDim();
    return Tensors.to(
        Tensors.of(sample.features(), 1, d, full.height(), full.width()),
        settings.device(),
        DType.F32);
  }

  /** Features (1, d, H, W); they are read only where a cache takes them, once for each picture. */
  private Tensor encode(TrainingSample sample) {
    RgbImage picture = sample.picture();
    try (Scope scope = Scope.open()) {
      Tensor pixels =
          Tensors.of(picture.rgb(), 1, picture.height(), picture.width(), 3)
              .permute(0, 3, 1, 2); // (1, 3, H·p, W·p)
      Tensor features = tokenizer.features(Tensors.to(pixels, settings.device()));
      if (sample.key() != null) {
        cache.put(sample.key(), Tensors.floats(features));
      }
      return scope.keep(features);
    } catch (IOException e) {
      throw new UncheckedIOException("the feature cache cannot be written", e);
    }
  }

  /** Inputs and labels of the first scales (Algorithm 2 of the paper). */
  private BitwiseSelfCorrection.Corrected corrected(
      BitwiseSelfCorrection.Config config,
      Flips flips,
      List<TrainingSample> part,
      ScaleSchedule schedule,
      List<Scale> scales) {
    try (Scope scope = Scope.open();
        NoGradGuard noGradients = new NoGradGuard()) {
      return new BitwiseSelfCorrection(tokenizer.quantizer(), config)
          .correct(features(part, schedule), tokenizer.config().scales(schedule), flips)
          .first(scales)
          .keptBy(scope);
    }
  }

  /**
   * The loss of some samples as their share in the batch's.
   *
   * @param logitsBLV logits (B, L, V)
   * @param target labels (B, L, d) and their margins
   * @return a scalar
   */
  private Tensor loss(
      Tensor logitsBLV,
      BitwiseSelfCorrection.Corrected target,
      List<Scale> scales,
      double share,
      BatchLoss total) {
    Objective objective = settings.objective();
    double[] weights = objective.reweight() ? BitLoss.reweighted(scales) : BitLoss.uniform(scales);
    Tensor perToken; // (B, L)
    if (settings.architecture().bitLabels()) {
      Tensor perBit = BitLoss.perBit(logitsBLV, target.labels()); // (B, L, d)
      if (objective.weighBits()) {
        perBit = perBit.mul(BitLoss.byMargin(target.margins(), scales));
      }
      perToken = objective.bitSum() ? perBit.sum(-1) : perBit.mean(-1);
      total.addBits(logitsBLV, target.labels());
    } else {
      perToken = BitLoss.perIndex(logitsBLV, Bits.labels(target.labels()));
    }
    Tensor loss = BitLoss.total(perToken, weights).mul(new Scalar(share));
    total.add(loss, perToken);
    return loss;
  }

  @Override
  public Map<String, Weights> tensors() {
    Map<String, Weights> tensors = new LinkedHashMap<>();
    tensors.put(WEIGHTS, stored);
    tensors.put(AVERAGE, average.average());
    tensors.put(OPTIMIZER, optimizer.state());
    return tensors;
  }

  @Override
  public long optimizerSteps() {
    return optimizer.steps();
  }

  @Override
  public void restore(Map<String, Weights> checkpoint, long optimizerSteps) {
    try (NoGradGuard noGradients = new NoGradGuard()) {
      Weights from = checkpoint.get(WEIGHTS);
      stored
          .names()
          .forEach(name -> stored.get(name).copy_(from.get(name, stored.get(name).shape())));
    }
    average.restore(checkpoint.get(AVERAGE));
    optimizer.restore(checkpoint.get(OPTIMIZER), optimizerSteps);
  }

  @Override
  public Map<String, Double> validate(List<SampleBatch> batches) {
    Map<String, Double> sums = new LinkedHashMap<>();
    long samples = 0;
    try (Weights averages = averagedTransformer();
        InfinityTransformer averaged =
            InfinityTransformer.forTraining(
                settings.architecture(), averages, settings.device(), settings.precision())) {
      for (SampleBatch batch : batches) {
        for (List<TrainingSample> part : batch.parts(batch.samples(), settings.partTokens())) {
          samples += part.size();
          try (Scope scope = Scope.open()) {
            measure(averaged, batch.schedule(), part)
                .forEach((name, value) -> sums.merge(name, value * part.size(), Double::sum));
          }
        }
      }
    }
    double count = samples;
    sums.replaceAll((name, sum) -> sum / count);
    return sums;
  }

  /** Losses and bit accuracies of the averaged weights, without flips and with all texts. */
  private Map<String, Double> measure(
      InfinityTransformer averaged, ScaleSchedule schedule, List<TrainingSample> part) {
    List<Scale> scales = settings.objective().trainedScales(schedule);
    try (Readings readings = new Readings();
        NoGradGuard noGradients = new NoGradGuard()) {
      BatchLoss total = new BatchLoss(scales, readings);
      BitwiseSelfCorrection.Corrected target =
          corrected(
              BitwiseSelfCorrection.Config.withoutFlips(settings.architecture().spatialPatchify()),
              Flips.NONE,
              part,
              schedule,
              scales);
      Tensor logits =
          averaged.forward(
              texts(textEncoder(average.average()), part),
              part.stream().map(sample -> false).toList(),
              target.inputs(),
              scales);
      loss(logits, target, scales, 1, total);
      readings.deliver(readings.read());
      Map<String, Double> found = new LinkedHashMap<>(total.scalars());
      found.put("loss", total.loss());
      return found;
    }
  }

  @Override
  public List<RgbImage> pictures() {
    if (settings.pictures().isEmpty()) {
      return List.of();
    }
    try (Weights averages = averagedTransformer()) {
      return new PromptPictures(settings.architecture(), averages, tokenizer, settings.device())
          .draw(
              textEncoder(average.average()),
              ScaleSchedules.nearest(1).schedule(directory.sizes().get(0)),
              settings.pictures());
    }
  }

  @Override
  public void export(Path folder) throws IOException {
    Weights trained = settings.exportAverage() ? average.average() : stored;
    try (Weights transformer = wholeTransformer(trained)) {
      directory.write(folder, transformer, trained);
    }
    if (settings.lora() != null) {
      Map<String, String> origin = Map.of("base", settings.lora().base());
      SafetensorsWriter.write(folder.resolve(ADAPTER), trained, origin);
    }
  }

  @Override
  public void close() {
    average.close();
    optimizer.close();
    buckets.close();
    model.close();
    transformerWeights.close();
    stored.close();
    weights.close();
    tokenizer.close();
    frozenText.close();
  }
}
