package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DType;
import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.engine.tensor.TorchDevice;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/**
 * Measurements one after the other, each noted and reported before the next begins. What fails is a
 * row that says so; what was measured before is not measured again.
 */
final class Sitting implements AutoCloseable {

  /**
   * What is measured.
   *
   * @param models that draw, the most important one first
   * @param sizes size classes, likewise
   * @param batches images of a batch, likewise
   * @param dtypes likewise
   * @param training models of which a training step is measured
   * @param repeats how often
   */
  record Plan(
      TorchDevice device,
      List<SittingModel> models,
      List<SizeClass> sizes,
      List<Integer> batches,
      List<DType> dtypes,
      List<SittingModel> training,
      Repeats.Limit repeats,
      String python) {}

  /** The time is up: what is left is for another call. */
  static final class TimeUpException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /** After a fault the device gives nothing but faults: a new process has to go on. */
  static final class DeviceLostException extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private final Plan plan;
  private final Path template;
  private final Path folder;
  private final long deadline;
  private final PrintWriter out;
  private final SittingJournal journal;
  private final DeviceThread thread;
  private DrawingModel loaded;
  private String loadedAs;

  /**
   * @param template see {@link SittingModel#directory}
   * @param folder for journal, report and models
   * @param deadline {@link System#nanoTime()} after which nothing is begun
   */
  Sitting(Plan plan, Path template, Path folder, long deadline, PrintWriter out)
      throws IOException {
    this.plan = plan;
    this.template = template;
    this.folder = folder;
    this.deadline = deadline;
    this.out = out;
    this.journal = SittingJournal.open(folder);
    this.thread = new DeviceThread(plan.device());
    new SittingReport(journal.entries()).write(folder);
  }

  Plan plan() {
    return plan;
  }

  /**
   * Measures something on the device's thread, unless it has been.
   *
   * @param section the table of its row
   * @param identity what is measured: the first cells of the row
   * @param work gives the other cells
   * @return the row, also where it was measured before
   * @throws TimeUpException if it is too late to begin
   * @throws DeviceLostException if it failed, and everything else would
   */
  JsonObject measure(String section, JsonObject identity, Callable<JsonObject> work)
      throws IOException {
    String key = section + " " + identity;
    if (journal.has(key)) {
      return journal.row(key);
    }
    if (System.nanoTime() - deadline > 0) {
      throw new TimeUpException();
    }
    journal.begin(key, section, identity);
    long start = System.nanoTime();
    JsonObject row = thread.call(() -> row(identity, work));
    journal.end(key, section, row);
    new SittingReport(journal.entries()).write(folder);
    out.printf(Locale.ROOT, "%6.1f s  %s: %s%n", (System.nanoTime() - start) / 1e9, section, row);
    out.flush();
    if (SittingJournal.isFailed(row) && thread.call(this::isLost)) {
      throw new DeviceLostException();
    }
    return row;
  }

  /** Frees what a failed measurement has left, so that the next one has room for itself. */
  private boolean isLost() {
    try {
      unload();
      plan.device().synchronize();
      return false;
    } catch (RuntimeException e) {
      return true;
    }
  }

  private JsonObject row(JsonObject identity, Callable<JsonObject> work) {
    try {
      JsonObject row = identity.deepCopy();
      work.call().asMap().forEach(row::add);
      return row;
    } catch (Exception | LinkageError | OutOfMemoryError e) {
      // No memory, no kernel for this card, no library: the next measurement may do without.
      String said = e.getMessage() == null ? e.toString() : e.getMessage();
      return SittingJournal.failed(identity, said.lines().findFirst().orElse(said));
    }
  }

  /** The directory of a model, written anew. */
  ModelDirectory directory(SittingModel model) throws IOException {
    return model.directory(template, folder.resolve("models"));
  }

  /** A model that draws. Only the one asked for last is in memory. */
  DrawingModel loaded(SittingModel model, DType dtype) throws IOException {
    String name = model + " " + dtype;
    if (!name.equals(loadedAs)) {
      unload();
      loaded = DrawingModel.load(directory(model), plan.device(), dtype);
      loadedAs = name;
    }
    return loaded;
  }

  /** Frees the model that is in memory; on the device's thread. */
  void unload() {
    if (loaded != null) {
      loaded.close();
      loaded = null;
      loadedAs = null;
    }
    plan.device().releaseCachedMemory();
  }

  @Override
  public void close() {
    thread.call(
        () -> {
          unload();
          return null;
        });
    thread.close();
  }
}
