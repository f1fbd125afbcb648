package io.bitloom.worker.models;

import io.bitloom.common.error.BitloomException;
import io.bitloom.engine.Engine;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.v1.ModelState;
import io.bitloom.v1.VersionState;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The versions that the cluster wants this worker to have: fetched, loaded and unloaded one after
 * the other, on a thread of their own. Where memory ends, the one that was used longest ago goes:
 * it gets no more leases, and is unloaded when those that it has are drawn. It comes back when
 * there is room, or when the cluster loads it anew.
 */
public final class WorkerModels implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(WorkerModels.class);

  private static final IntervalFunction PAUSES =
      IntervalFunction.ofExponentialRandomBackoff(
          Duration.ofSeconds(1), 2, 0.5, Duration.ofMinutes(5));

  private static final int MOST_FAILURES_COUNTED = 16;

  /** What is being fetched stays where it is, for the next process to go on. */
  private static final int CLOSE_SECONDS = 5;

  /** How often it is told how far a download is. */
  private static final long TELL_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final VersionFetch fetch;
  private final EngineOpener opener;
  private final long memory;
  private final Map<String, LoadedModel> models = new LinkedHashMap<>(); // guarded by this
  private final ScheduledThreadPoolExecutor thread;
  private Runnable changed = () -> {}; // guarded by this
  private long clock; // guarded by this
  private String wantedLast = ""; // guarded by this

  /**
   * @param memory bytes that all of these models may take together
   */
  public WorkerModels(RegistryCalls registry, ModelCache cache, EngineOpener opener, long memory) {
    this.fetch = new VersionFetch(registry, cache);
    this.opener = opener;
    this.memory = memory;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread models = new Thread(task, "models");
              models.setDaemon(true);
              return models;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    thread.setRemoveOnCancelPolicy(true);
  }

  /** Calls the listener, on any thread, when {@link #states} has changed. */
  public synchronized void onChange(Runnable listener) {
    changed = listener;
  }

  /**
   * What the worker shall have from now on.
   *
   * @param versions those that were wanted last first
   */
  public synchronized void want(List<String> versions) {
    boolean other = !versions.isEmpty() && !versions.get(0).equals(wantedLast);
    wantedLast = versions.isEmpty() ? "" : versions.get(0);
    for (int i = versions.size() - 1; i >= 0; i--) {
      String version = versions.get(i);
      LoadedModel known = models.get(version);
      boolean anew =
          other && i == 0 && known != null && known.state() == VersionState.VERSION_STATE_UNLOADED;
      if (known == null || anew) {
        LoadedModel model = new LoadedModel(version);
        model.used = ++clock;
        models.put(version, model);
        thread.execute(() -> bring(model));
      } else {
        known.wanted = true;
      }
    }
    for (LoadedModel model : List.copyOf(models.values())) {
      if (!versions.contains(model.version())) {
        model.wanted = false;
        thread.execute(() -> dropUnlessWanted(model));
      }
    }
  }

  /** How the versions stand that are wanted, or still there. */
  public synchronized List<ModelState> states() {
    return models.values().stream().map(LoadedModel::message).toList();
  }

  /** The engines of versions that can be drawn with, by their names. */
  public synchronized Map<String, Engine> ready() {
    return models.values().stream()
        .filter(LoadedModel::ready)
        .collect(Collectors.toMap(LoadedModel::version, model -> model.engine));
  }

  /**
   * The engine for a lease, until {@link #drawn}. A version that is about to go takes no more:
   * empty.
   */
  public synchronized Optional<Engine> take(String version) {
    return Optional.ofNullable(models.get(version))
        .filter(LoadedModel::ready)
        .map(
            model -> {
              model.leases++;
              model.used = ++clock;
              return model.engine;
            });
  }

  /** A lease of a version is done with. */
  public synchronized void drawn(String version) {
    LoadedModel model = models.get(version);
    if (model != null) {
      model.leases--;
      notifyAll();
    }
  }

  // On the models' thread

  private void bring(LoadedModel model) {
    try {
      fetch(model);
      if (isWanted(model)) {
        load(model);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException | BitloomException | WeightsException e) {
      failed(model, e.getMessage());
    } catch (CancellationException e) {
      synchronized (this) {
        forget(model);
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      log.error("Model {} cannot be loaded", model.version(), e);
      failed(model, e.toString());
    }
  }

  private synchronized boolean isWanted(LoadedModel model) {
    return model.wanted && models.get(model.version()) == model;
  }

  private void failed(LoadedModel model, String why) {
    long millis;
    synchronized (this) {
      model.failures = Math.min(MOST_FAILURES_COUNTED, model.failures + 1);
      millis = PAUSES.apply(model.failures);
      model.is(VersionState.VERSION_STATE_FAILED, String.valueOf(why));
      forget(model);
    }
    log.warn("Model {} is tried again in {} ms: {}", model.version(), millis, why);
    tell();
    thread.schedule(() -> again(model), millis, TimeUnit.MILLISECONDS);
  }

  private void again(LoadedModel model) {
    if (isWanted(model)) {
      bring(model);
    }
  }

  private void fetch(LoadedModel model) throws IOException {
    synchronized (this) {
      model.is(VersionState.VERSION_STATE_PULLING, "");
    }
    tell();
    ModelCache.Held files =
        fetch.version(model.version(), (bytes, of) -> arrived(model, bytes, of));
    synchronized (this) {
      model.files = files;
      model.receivedAll();
    }
  }

  private void arrived(LoadedModel model, long bytes, long of) {
    boolean tell;
    synchronized (this) {
      model.received(bytes, of);
      tell = System.nanoTime() - model.toldNanos > TELL_NANOS;
      model.toldNanos = tell ? System.nanoTime() : model.toldNanos;
    }
    if (!isWanted(model)) {
      throw new CancellationException("not wanted any more");
    }
    if (tell) {
      tell();
    }
  }

  private void load(LoadedModel model) throws InterruptedException {
    synchronized (this) {
      model.is(VersionState.VERSION_STATE_LOADING, "");
    }
    tell();
    ModelDirectory directory = ModelDirectory.open(model.files.folder().toString());
    directory.verifyFiles();
    long needed = opener.memory(directory);
    synchronized (this) {
      model.used = model.fresh ? ++clock : model.used;
    }
    if (!makeRoom(model, needed)) {
      return;
    }
    Engine engine = opener.open(directory);
    synchronized (this) {
      model.engine = engine;
      model.memory = needed;
      model.failures = 0;
      model.fresh = false;
      model.is(VersionState.VERSION_STATE_READY, "");
    }
    log.info("Model {} is loaded", model.version());
    tell();
  }

  /** Unloads others until there is room for a model; says so if there cannot be. */
  private boolean makeRoom(LoadedModel model, long needed) throws InterruptedException {
    while (needed <= memory) {
      LoadedModel oldest;
      synchronized (this) {
        long used = models.values().stream().mapToLong(other -> other.memory).sum();
        if (needed <= memory - used) {
          return true;
        }
        oldest =
            models.values().stream()
                .filter(LoadedModel::ready)
                .filter(other -> other.used < model.used)
                .min(Comparator.comparingLong(other -> other.used))
                .orElse(null);
      }
      if (oldest == null) {
        break;
      }
      unload(oldest, "makes room for " + model.version());
    }
    unloaded(
        model, "takes " + needed + " bytes of memory, and there are " + memory + " for all models");
    return false;
  }

  private void unloaded(LoadedModel model, String why) {
    log.info("Model {} is not in memory: {}", model.version(), why);
    synchronized (this) {
      model.fresh = false;
      model.is(VersionState.VERSION_STATE_UNLOADED, why);
      forget(model);
    }
    tell();
  }

  private void dropUnlessWanted(LoadedModel model) {
    synchronized (this) {
      if (model.wanted || models.get(model.version()) != model) {
        return;
      }
    }
    try {
      unload(model, "is not wanted any more");
      synchronized (this) {
        if (!model.wanted) {
          models.remove(model.version());
        }
      }
      tell();
      bringOneMore();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** There may be room for one that had to go. */
  private void bringOneMore() {
    LoadedModel next;
    synchronized (this) {
      next =
          models.values().stream()
              .filter(model -> model.wanted)
              .filter(model -> model.state() == VersionState.VERSION_STATE_UNLOADED)
              .max(Comparator.comparingLong(model -> model.used))
              .orElse(null);
    }
    if (next != null) {
      bring(next);
    }
  }

  /** Takes a model out of memory when all of its leases are drawn. */
  private void unload(LoadedModel model, String why) throws InterruptedException {
    Engine engine;
    synchronized (this) {
      engine = model.engine;
      if (engine != null) {
        model.is(VersionState.VERSION_STATE_DRAINING, why);
      }
    }
    if (engine != null) {
      log.info("Model {} {}", model.version(), why);
      tell();
      synchronized (this) {
        while (model.leases > 0) {
          wait();
        }
        model.engine = null;
        model.memory = 0;
      }
      engine.close();
    }
    unloaded(model, why);
  }

  /** Its files may leave the cache. */
  private void forget(LoadedModel model) {
    if (model.files != null) {
      try {
        model.files.close();
      } catch (IOException e) {
        log.debug("The files of {} stay in use: {}", model.version(), e.toString());
      }
      model.files = null;
    }
  }

  private void tell() {
    Runnable listener;
    synchronized (this) {
      listener = changed;
    }
    listener.run();
  }

  /** Ends what is being fetched, and unloads all; nobody may draw any more. */
  @Override
  public void close() {
    thread.shutdownNow();
    fetch.close();
    try {
      if (!thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        log.debug("A download ends with the process");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (this) {
      for (LoadedModel model : models.values()) {
        if (model.engine != null) {
          model.engine.close();
        }
        forget(model);
      }
      models.clear();
    }
  }
}
