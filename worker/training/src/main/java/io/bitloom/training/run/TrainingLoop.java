package io.bitloom.training.run;

import io.bitloom.common.file.FileFaults;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.training.data.BadDataException;
import io.bitloom.training.data.BatchLoader;
import io.bitloom.training.data.SampleBatch;
import io.bitloom.training.distributed.Processes;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A training run in a folder: goes on from the latest checkpoint there, if there is one, and leaves
 * checkpoints, records and, at its end, the model. Everything runs on the device's thread but
 * {@link #stop()}.
 */
public final class TrainingLoop {
  private static final Logger log = LoggerFactory.getLogger(TrainingLoop.class);

  private final RunConfig config;
  private final String identity;
  private final Learner learner;
  private final Processes processes;
  private final TrainingData data;
  private final Consumer<String> console;
  private final RunObserver observer;
  private final RunCheckpoints checkpoints;
  private volatile boolean stopped;

  private RunState state;
  private RunRecord record; // null but on the process of rank 0
  private Throughput throughput;

  /** How a run came to its end. */
  public enum Outcome {
    /** All steps were made. */
    FINISHED,
    /** It was told to stop; a checkpoint is there. */
    STOPPED,
    /** Too many steps in a row could not be applied; a checkpoint is there. */
    DIVERGED,
    /** Another process of the group is gone; a checkpoint is there. */
    LOST_PROCESS
  }

  /** A run that nobody looks at. */
  public TrainingLoop(
      RunConfig config,
      String identity,
      Learner learner,
      Processes processes,
      TrainingData data,
      Consumer<String> console) {
    this(config, identity, learner, processes, data, console, RunObserver.NONE);
  }

  /**
   * A run.
   *
   * @param identity settings that must be the same when the run is resumed, as text
   * @param console takes lines for people
   * @param observer is told how it goes, in the process of rank 0
   */
  public TrainingLoop(
      RunConfig config,
      String identity,
      Learner learner,
      Processes processes,
      TrainingData data,
      Consumer<String> console,
      RunObserver observer) {
    this.config = config;
    this.identity = identity;
    this.learner = learner;
    this.processes = processes;
    this.data = data;
    this.console = console;
    this.observer = observer;
    this.checkpoints =
        new RunCheckpoints(config.folder().resolve("checkpoints"), config.keepCheckpoints());
  }

  /** Asks the run to end after the current step, with a checkpoint; from any thread. */
  public void stop() {
    stopped = true;
  }

  /**
   * Trains until the end.
   *
   * @throws IOException if the folder cannot be read or written
   * @throws RunRefusedException if the folder cannot be used, another process trains there, or its
   *     checkpoints are of a run with other settings or all damaged
   */
  public Outcome run() throws IOException {
    if (processes.rank() != 0) {
      return train();
    }
    prepare(config.folder());
    try (FileChannel channel =
            FileChannel.open(
                config.folder().resolve("run.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      if (lock == null) {
        throw busy(null);
      }
      return train();
    } catch (OverlappingFileLockException e) {
      throw busy(e);
    }
  }

  /**
   * Makes the folder of a run, which anything about it can then be written into.
   *
   * @throws RunRefusedException if it cannot be written to
   */
  public static void prepare(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new RunRefusedException(
          folder, "the run's folder cannot be made: " + FileFaults.message(e), e);
    }
    if (!Files.isWritable(folder)) {
      throw new RunRefusedException(folder, "the run's folder cannot be written to");
    }
  }

  private RunRefusedException busy(Exception cause) {
    return new RunRefusedException(
        config.folder(),
        "another process trains here; wait for its end, stop it, or name another folder",
        cause);
  }

  private Outcome train() throws IOException {
    resume();
    double peakFlops = Throughput.peakFlops(config.device(), config.precision());
    throughput = new Throughput(processes.count(), peakFlops);
    try (BatchLoader loader = data.batchesFrom(state.step());
        RunRecord opened = writes() ? new RunRecord(config.folder(), state.step()) : null) {
      record = opened;
      if (writes()) {
        RunRecord.replay(config.folder(), observer);
      }
      Outcome outcome = steps(loader);
      checkpoint();
      if (writes() && outcome != Outcome.DIVERGED) {
        export();
      }
      return outcome;
    } catch (BadDataException e) {
      checkpoint(); // the run goes on from here once the data is mended
      throw e;
    } catch (Processes.LostException e) {
      log.error("{}; step {} is the last one", e.getMessage(), state.step());
      checkpoints.save(state, learner.tensors()); // whoever is left
      return Outcome.LOST_PROCESS;
    }
  }

  private boolean writes() {
    return processes.rank() == 0;
  }

  private void resume() throws IOException {
    ResumePoint point = ResumePoint.find(checkpoints, config.folder(), identity, learner);
    point.damaged().values().forEach(console);
    if (writes()) {
      for (long step : point.damaged().keySet()) {
        checkpoints.setAside(step);
      }
    }
    state = point.state();
    if (state.step() > 0) {
      console.accept("Going on after step " + state.step() + " of " + config.steps());
    }
  }

  private Outcome steps(BatchLoader loader) throws IOException {
    while (state.step() < config.steps()) {
      if (processes.sum(stopped ? 1 : 0)[0] > 0) {
        return Outcome.STOPPED;
      }
      StepReport report;
      try (Scope scope = Scope.open()) {
        report = learner.step(loader.next());
      }
      state = state.after(report, learner.optimizerSteps());
      throughput.add(report);
      if (!report.applied()) {
        log.warn(
            "Step {} is skipped: loss {}, gradient norm {}",
            state.step(),
            report.loss(),
            report.gradientNorm());
      }
      if (due(config.every().log()) || !report.applied()) {
        report(report);
      }
      if (state.badInARow() >= config.mostBadSteps()) {
        log.error("{} steps in a row could not be applied", state.badInARow());
        return Outcome.DIVERGED;
      }
      if (due(config.every().validation())) {
        validate();
      }
      if (due(config.every().pictures())) {
        pictures();
      }
      if (due(config.every().checkpoint())) {
        checkpoint();
      }
    }
    return Outcome.FINISHED;
  }

  private boolean due(int every) {
    return every > 0 && state.step() % every == 0;
  }

  private void report(StepReport report) throws IOException {
    Throughput.Rates rates = throughput.rates(config.steps() - state.step());
    if (!writes()) {
      return;
    }
    Map<String, Double> numbers = new LinkedHashMap<>();
    numbers.put("loss", report.loss());
    numbers.put("gradient_norm", report.gradientNorm());
    numbers.putAll(report.scalars());
    numbers.put("samples", (double) state.samples());
    numbers.put("skipped", (double) state.skipped());
    numbers.put("samples_per_second", rates.samplesPerSecond());
    numbers.put("tokens_per_second", rates.tokensPerSecond());
    if (report.flops() > 0) {
      numbers.put("model_flop_utilisation", rates.utilisation());
    }
    if (report.recomputedFlops() > 0) {
      numbers.put("hardware_flop_utilisation", rates.hardwareUtilisation());
    }
    record.numbers("train", state.step(), numbers);
    observer.recorded("train", state.step(), numbers);
    observer.left(rates.left());
    console.accept(
        String.format(
            Locale.ROOT,
            "step %d/%d  loss %.4f  %.2f samples/s  %.0f tokens/s%s  %s left",
            state.step(),
            config.steps(),
            report.loss(),
            rates.samplesPerSecond(),
            rates.tokensPerSecond(),
            report.flops() > 0
                ? String.format(Locale.ROOT, "  MFU %.0f %%", 100 * rates.utilisation())
                : "",
            time(rates.left().toSeconds())));
  }

  private static String time(long seconds) {
    return String.format(
        Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  private void validate() throws IOException {
    List<SampleBatch> batches = data.validation();
    if (batches.isEmpty()) {
      return;
    }
    Map<String, Double> found = learner.validate(batches); // the same on every process
    state = state.validated(found.get("loss"));
    if (writes()) {
      record.numbers("validation", state.step(), found);
      observer.recorded("validation", state.step(), found);
      console.accept(
          String.format(
              Locale.ROOT,
              "step %d  validation loss %.4f%s",
              state.step(),
              found.get("loss"),
              state.bestStep() == state.step() ? "  (best so far)" : ""));
    }
    if (state.bestStep() == state.step()) {
      checkpoint();
    }
  }

  private void pictures() throws IOException {
    if (writes()) {
      List<RgbImage> pictures = learner.pictures();
      if (!pictures.isEmpty()) {
        observer.pictured(state.step(), record.pictures(state.step(), pictures));
      }
    }
  }

  private void checkpoint() throws IOException {
    if (writes()) {
      checkpoints.save(state, learner.tensors());
      data.writeReport();
    }
  }

  /** Writes the model beside its place and then swaps it in. */
  private void export() throws IOException {
    Path model = config.folder().resolve("model");
    Path unfinished = Files.createTempDirectory(config.folder(), ".model-");
    try {
      learner.export(unfinished);
      RunCheckpoints.delete(model);
      Files.move(unfinished, model, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      RunCheckpoints.delete(unfinished);
    }
    console.accept("The model is in " + model);
  }
}
