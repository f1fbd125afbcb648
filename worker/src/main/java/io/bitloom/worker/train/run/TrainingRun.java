package io.bitloom.worker.train.run;

import io.bitloom.common.file.FileFaults;
import io.bitloom.worker.image.RgbImage;
import io.bitloom.worker.tensor.DType;
import io.bitloom.worker.tensor.Scope;
import io.bitloom.worker.tensor.TorchDevice;
import io.bitloom.worker.train.data.BadDataException;
import io.bitloom.worker.train.data.BatchLoader;
import io.bitloom.worker.train.data.SampleBatch;
import io.bitloom.worker.train.distributed.Processes;
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
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A training run in a folder: goes on from the latest checkpoint there, if there is one, and leaves
 * checkpoints, records and, at its end, the model. Everything runs on the device's thread but
 * {@link #stop()}.
 */
public final class TrainingRun {
  private static final Logger log = LoggerFactory.getLogger(TrainingRun.class);

  private final Settings settings;
  private final Learner learner;
  private final Processes processes;
  private final Data data;
  private final Consumer<String> console;
  private final RunObserver observer;
  private final Checkpoints checkpoints;
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

  /**
   * The settings of a run.
   *
   * @param folder of the run
   * @param identity settings that must be the same when the run is resumed, as text
   * @param steps of the whole run
   * @param logEvery steps between lines of the record
   * @param checkpointEvery steps between checkpoints
   * @param keep latest checkpoints that stay
   * @param validateEvery steps between validations; 0 for none
   * @param picturesEvery steps between sample grids; 0 for none
   * @param mostBadSteps steps in a row without finite loss and gradients that end the run
   * @param device that the learner computes on
   * @param precision type that its products are computed in
   */
  public record Settings(
      Path folder,
      String identity,
      long steps,
      int logEvery,
      int checkpointEvery,
      int keep,
      int validateEvery,
      int picturesEvery,
      int mostBadSteps,
      TorchDevice device,
      DType precision) {}

  /**
   * What a run learns from.
   *
   * @param training loads batches from the n-th on
   * @param validation the batches that are not trained on
   * @param report what was left out so far, written with every checkpoint
   */
  public record Data(
      LongFunction<BatchLoader> training,
      Supplier<List<SampleBatch>> validation,
      Reporting report) {}

  /** Writes a report. */
  public interface Reporting {
    /**
     * Writes it as it is now.
     *
     * @throws IOException if it cannot be written
     */
    void write() throws IOException;
  }

  /** A run that nobody looks at. */
  public TrainingRun(
      Settings settings,
      Learner learner,
      Processes processes,
      Data data,
      Consumer<String> console) {
    this(settings, learner, processes, data, console, RunObserver.NONE);
  }

  /**
   * A run.
   *
   * @param console takes lines for people
   * @param observer is told how it goes, in the process of rank 0
   */
  public TrainingRun(
      Settings settings,
      Learner learner,
      Processes processes,
      Data data,
      Consumer<String> console,
      RunObserver observer) {
    this.settings = settings;
    this.learner = learner;
    this.processes = processes;
    this.data = data;
    this.console = console;
    this.observer = observer;
    this.checkpoints = new Checkpoints(settings.folder().resolve("checkpoints"), settings.keep());
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
    prepare(settings.folder());
    try (FileChannel channel =
            FileChannel.open(
                settings.folder().resolve("run.lock"),
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
        settings.folder(),
        "another process trains here; wait for its end, stop it, or name another folder",
        cause);
  }

  private Outcome train() throws IOException {
    resume();
    double peakFlops = Throughput.peakFlops(settings.device(), settings.precision());
    throughput = new Throughput(processes.count() * peakFlops);
    try (BatchLoader loader = data.training().apply(state.step());
        RunRecord opened = writes() ? new RunRecord(settings.folder(), state.step()) : null) {
      record = opened;
      if (writes()) {
        RunRecord.replay(settings.folder(), observer);
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
    ResumePoint point =
        ResumePoint.find(checkpoints, settings.folder(), settings.identity(), learner);
    point.damaged().values().forEach(console);
    if (writes()) {
      for (long step : point.damaged().keySet()) {
        checkpoints.setAside(step);
      }
    }
    state = point.state();
    if (state.step() > 0) {
      console.accept("Going on after step " + state.step() + " of " + settings.steps());
    }
  }

  private Outcome steps(BatchLoader loader) throws IOException {
    while (state.step() < settings.steps()) {
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
      if (due(settings.logEvery()) || !report.applied()) {
        report(report);
      }
      if (state.badInARow() >= settings.mostBadSteps()) {
        log.error("{} steps in a row could not be applied", state.badInARow());
        return Outcome.DIVERGED;
      }
      if (due(settings.validateEvery())) {
        validate();
      }
      if (due(settings.picturesEvery())) {
        pictures();
      }
      if (due(settings.checkpointEvery())) {
        checkpoint();
      }
    }
    return Outcome.FINISHED;
  }

  private boolean due(int every) {
    return every > 0 && state.step() % every == 0;
  }

  private void report(StepReport report) throws IOException {
    Throughput.Rates rates = throughput.rates(settings.steps() - state.step());
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
    record.numbers("train", state.step(), numbers);
    observer.recorded("train", state.step(), numbers);
    observer.left(rates.left());
    console.accept(
        String.format(
            Locale.ROOT,
            "step %d/%d  loss %.4f  %.2f samples/s  %.0f tokens/s%s  %s left",
            state.step(),
            settings.steps(),
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
    List<SampleBatch> batches = data.validation().get();
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
      data.report().write();
    }
  }

  /** Writes the model beside its place and then swaps it in. */
  private void export() throws IOException {
    Path model = settings.folder().resolve("model");
    Path unfinished = Files.createTempDirectory(settings.folder(), ".model-");
    try {
      learner.export(unfinished);
      Checkpoints.delete(model);
      Files.move(unfinished, model, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Checkpoints.delete(unfinished);
    }
    console.accept("The model is in " + model);
  }
}
