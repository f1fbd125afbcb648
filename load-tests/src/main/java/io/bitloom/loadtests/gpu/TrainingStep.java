package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.engine.tensor.Weights;
import io.bitloom.engine.text.HashedWordEncoder;
import io.bitloom.engine.tokenizer.VisualTokenizer;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.data.TrainingSample;
import io.bitloom.training.distributed.Processes;
import io.bitloom.training.optim.AdamW;
import io.bitloom.training.optim.LearningRate;
import io.bitloom.training.run.StepReport;
import io.bitloom.training.transformer.InfinityInitialization;
import io.bitloom.training.transformer.Objective;
import io.bitloom.training.transformer.TransformerSettings;
import io.bitloom.training.transformer.TransformerTraining;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a step of training takes on one device: forwards, backwards, AdamW and the moving average,
 * from features of pictures as the cache has them.
 */
final class TrainingStep {
  private static final String SECTION = "A step of training";
  private static final int SAMPLES = 4;
  private static final long STEPS = 1000;
  private static final String CAPTION = "a caption of eight words for every picture";

  private TrainingStep() {}

  static void run(Sitting sitting) throws IOException {
    Sitting.Plan plan = sitting.plan();
    DType dtype = plan.dtypes().get(0);
    for (SittingModel model : plan.training()) {
      SizeClass size = model.draws("0.25M") ? SizeClass.PIXELS_0_25M : SizeClass.PIXELS_0_06M;
      for (boolean recompute : new boolean[] {false, true}) {
        JsonObject identity =
            new Row()
                .with("model", model)
                .with("size", size)
                .with("type", dtype)
                .with("pictures", SAMPLES)
                .with("blocks computed twice", recompute)
                .json();
        sitting.measure(SECTION, identity, () -> step(sitting, model, dtype, size, recompute));
      }
    }
  }

  private static JsonObject step(
      Sitting sitting, SittingModel model, DType dtype, SizeClass size, boolean recompute)
      throws IOException {
    sitting.unload();
    TorchDevice device = sitting.plan().device();
    Repeats.Limit limit = sitting.plan().repeats();
    double rate = MachineStep.rate(device, dtype, limit).most();
    ModelDirectory directory = sitting.directory(model);
    MemoryMeter memory = MemoryMeter.start(device);
    AtomicLong number = new AtomicLong();
    List<StepReport> reports = new ArrayList<>();
    try (TransformerTraining training = training(directory, device, dtype, recompute)) {
      ScaleSchedule schedule = ScaleSchedules.nearest(1, size);
      Repeats repeats =
          Repeats.of(
              limit,
              () -> {
                try (Scope scope = Scope.open()) {
                  SampleBatch batch = batch(directory, schedule, number.getAndIncrement());
                  device.synchronize();
                  long start = System.nanoTime();
                  reports.add(training.step(batch));
                  device.synchronize();
                  return new double[] {(System.nanoTime() - start) / 1e9};
                }
              });
      double seconds = repeats.of(0).median();
      StepReport last = reports.get(reports.size() - 1);
      return new Row()
          .with("s", repeats.of(0))
          .with("pictures/s", SAMPLES / seconds)
          .with("TFLOP/s", last.flops() / seconds / 1e12)
          .with("MFU, of products' rate", last.flops() / seconds / 1e12 / rate)
          .with("memory, GB", memory.peak() / 1e9)
          .with("losses and gradients are finite", reports.stream().allMatch(StepReport::applied))
          .json();
    }
  }

  private static TransformerTraining training(
      ModelDirectory directory, TorchDevice device, DType dtype, boolean recompute) {
    InfinityConfig config = directory.transformer();
    TransformerSettings settings =
        new TransformerSettings(
            config,
            Objective.REFERENCE,
            AdamW.Settings.REFERENCE,
            null,
            new LearningRate(1e-5, LearningRate.Shape.CONSTANT, 0, 1, 1),
            5,
            0.999,
            true,
            Integer.MAX_VALUE,
            recompute,
            device,
            dtype,
            1,
            STEPS,
            List.of(),
            null);
    try (Weights start = InfinityInitialization.REFERENCE.weights(config, 1);
        Weights tokenizer = directory.tokenizerWeights()) {
      return new TransformerTraining(
          settings,
          start,
          new HashedWordEncoder(config.textChannels()),
          new VisualTokenizer(directory.tokenizer(), tokenizer),
          null,
          null,
          Processes.alone());
    }
  }

  private static SampleBatch batch(ModelDirectory directory, ScaleSchedule schedule, long number) {
    List<TrainingSample> samples = new ArrayList<>();
    int places = directory.tokenizer().scales(schedule).get(schedule.scales().size() - 1).tokens();
    for (long i = number * SAMPLES; i < (number + 1) * SAMPLES; i++) {
      float[] features = new float[directory.tokenizer().codebookDim() * places];
      SplittableRandom random = new SplittableRandom(i);
      for (int j = 0; j < features.length; j++) {
        features[j] = (float) random.nextGaussian();
      }
      samples.add(new TrainingSample(i, CAPTION, null, features, null));
    }
    return new SampleBatch(number, schedule, samples);
  }
}
