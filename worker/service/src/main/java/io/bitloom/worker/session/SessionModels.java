package io.bitloom.worker.session;

import io.bitloom.common.model.VersionName;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.engine.Engine;
import io.bitloom.v1.WorkerModel;
import io.bitloom.worker.models.WorkerModels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * What a session draws with: the model that the worker was started with, and versions that the
 * cluster wants it to have. Confined to the session's thread.
 */
final class SessionModels {

  /** A model in memory, and how leases of it are drawn. */
  record Drawn(AnnouncedModel announced, LeasedWork work, Engine engine) {}

  private final Optional<Drawn> own;
  private final Optional<WorkerModels> cluster;
  private final WorkerTraces traces;
  private final BiConsumer<AnnouncedModel, ScaleSchedule> onCapacity;
  private final Map<String, Drawn> versions = new TreeMap<>();

  /**
   * @param onCapacity is told on any thread when it was learned what fits into a batch
   */
  SessionModels(
      Optional<Engine> own,
      Optional<WorkerModels> cluster,
      WorkerTraces traces,
      BiConsumer<AnnouncedModel, ScaleSchedule> onCapacity) {
    this.cluster = cluster;
    this.traces = traces;
    this.onCapacity = onCapacity;
    this.own = own.map(engine -> drawn(engine.model().name(), engine));
  }

  private Drawn drawn(String name, Engine engine) {
    AnnouncedModel announced = new AnnouncedModel(name, engine.model(), engine.capacity());
    engine.capacity().onChange(schedule -> onCapacity.accept(announced, schedule));
    return new Drawn(announced, new LeasedWork(engine, name, traces), engine);
  }

  /** Versions that the cluster keeps, if the worker takes some. */
  Optional<WorkerModels> cluster() {
    return cluster;
  }

  /** All that can be drawn with now. */
  List<WorkerModel> announced() {
    List<WorkerModel> all = new ArrayList<>();
    own.ifPresent(model -> all.add(model.announced().toMessage()));
    all.addAll(ready());
    return all;
  }

  /** Versions of the cluster that can be drawn with now. */
  List<WorkerModel> ready() {
    Map<String, Engine> engines = cluster.map(WorkerModels::ready).orElse(Map.of());
    versions.keySet().retainAll(engines.keySet());
    List<WorkerModel> all = new ArrayList<>();
    engines.forEach((name, engine) -> all.add(version(name, engine).announced().toMessage()));
    return all;
  }

  private Drawn version(String name, Engine engine) {
    Drawn known = versions.get(name);
    if (known == null || known.engine() != engine) {
      known = drawn(name, engine);
      versions.put(name, known);
    }
    return known;
  }

  /** Who draws a lease, until {@link #done}; empty: nobody, and it is to be handed back. */
  Optional<Drawn> take(String model) {
    return VersionName.hasReference(model)
        ? cluster.flatMap(models -> models.take(model)).map(engine -> version(model, engine))
        : own;
  }

  /** A lease is done with. */
  void done(String model) {
    if (VersionName.hasReference(model)) {
      cluster.ifPresent(models -> models.drawn(model));
    }
  }
}
