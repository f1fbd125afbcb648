package io.bitloom.client.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ModelClient;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.json.EnumNames;
import io.bitloom.common.json.MessageJson;
import io.bitloom.common.model.VersionName;
import io.bitloom.common.rules.Pools;
import io.bitloom.v1.ListVersionsResponse;
import io.bitloom.v1.ModelVersion;
import io.bitloom.v1.PoolModels;
import io.bitloom.v1.PoolVersion;
import io.bitloom.v1.RegisteredModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Commands about the models that a cluster keeps. */
final class ModelCommands {

  private ModelCommands() {}

  /** A command about models of a cluster. */
  abstract static class OfCluster implements Callable<Integer> {

    @Mixin private ConnectionOptions connection;
    @Mixin private OutputOptions output;

    /** Does it. */
    abstract void run(Console console, ModelClient models) throws IOException;

    @Override
    public Integer call() throws IOException {
      Console console = output.console();
      try (BitloomClient client = connection.client()) {
        run(console, client.models());
        return ExitCode.DONE;
      } finally {
        console.endLive();
      }
    }
  }

  @Command(
      name = "push",
      description = {
        "Bring a model directory into the cluster, which keeps it as a version of its model.",
        "Files that are there already are not sent. Repeated, the command goes on where it broke"
            + " off."
      })
  static final class Push extends OfCluster {

    @Parameters(paramLabel = "DIR", description = "A folder with a model.json.")
    private Path directory;

    @Option(
        names = "--label",
        paramLabel = "LABEL",
        description = "Point to this version from now on; jobs that name the model get latest.")
    private List<String> labels = List.of();

    @Override
    void run(Console console, ModelClient models) throws IOException {
      ModelVersion version = models.push(directory, labels, progress(console));
      console.emit(json("pushed", version, labels));
      console.say(version.getName() + " is in the cluster" + labelled(labels));
      if (labels.isEmpty()) {
        console.say(
            "Jobs that name "
                + version.getModel()
                + " get it after\n  "
                + ShellCommand.of("model", "label", version.getName(), VersionName.LATEST));
      }
    }

    private static String labelled(List<String> labels) {
      return labels.isEmpty() ? "" : " as " + String.join(", ", labels);
    }
  }

  @Command(
      name = "pull",
      description = {
        "Fetch a version from the cluster as a model directory.",
        "Repeated, the command goes on where it broke off."
      })
  static final class Pull extends OfCluster {

    @Parameters(paramLabel = "VERSION", description = "NAME, NAME@LABEL or NAME@DIGEST.")
    private String version;

    @Option(
        names = "--out",
        paramLabel = "DIR",
        required = true,
        description = "The folder; made if it is missing.")
    private Path out;

    @Override
    void run(Console console, ModelClient models) throws IOException {
      ModelVersion pulled = models.pull(version, out, progress(console));
      JsonObject event = json("pulled", pulled, List.of());
      event.remove("labels");
      event.addProperty("out", out.toString());
      console.emit(event);
      console.say(pulled.getName() + " is in " + out);
    }
  }

  @Command(name = "list", description = "List the models that the cluster keeps.")
  static final class Versions extends OfCluster {

    @Parameters(paramLabel = "NAME", arity = "0..1", description = "Only this model.")
    private String model = "";

    @Override
    void run(Console console, ModelClient models) {
      ListVersionsResponse response = models.list(model);
      List<RegisteredModel> found = response.getModelsList();
      if (found.isEmpty()) {
        console.say(model.isEmpty() ? "no models" : "no model " + FieldViolation.shown(model));
      }
      for (RegisteredModel kept : found) {
        for (ModelVersion version : kept.getVersionsList()) {
          List<String> labels = labels(kept, version);
          console.emit(json("model_version", version, labels));
          console.say(
              String.format(
                  Locale.ROOT,
                  "%s  %s  %s%s%s",
                  console.bold(version.getName()),
                  JobReport.time(version.getCreateTime()),
                  mebibytes(version.getSizeBytes()),
                  version.hasCommitTime() ? "" : "  (not all of it is there)",
                  labels.isEmpty() ? "" : "  " + String.join(", ", labels)));
          if (!version.getDescription().isEmpty()) {
            console.say("    " + FieldViolation.shown(version.getDescription()));
          }
        }
      }
      response.getPoolsList().forEach(pool -> tell(console, pool));
    }
  }

  @Command(
      name = "load",
      description = {
        "Have all workers of a pool fetch a version and load it, beside others as far as their",
        "memory goes: then those go that were used longest ago, when their prompts are drawn."
      })
  static final class Load extends OfPool {
    @Override
    PoolModels change(ModelClient models, String version, String pool) {
      return models.load(version, pool);
    }
  }

  @Command(
      name = "unload",
      description = "Have the workers of a pool unload a version, when its prompts are drawn.")
  static final class Unload extends OfPool {
    @Override
    PoolModels change(ModelClient models, String version, String pool) {
      return models.unload(version, pool);
    }
  }

  /** A command about a version and a pool. */
  abstract static class OfPool extends OfCluster {

    @Parameters(paramLabel = "VERSION", description = "NAME, NAME@LABEL or NAME@DIGEST.")
    private String version;

    @Option(
        names = "--pool",
        paramLabel = "NAME",
        defaultValue = Pools.DEFAULT,
        description = "Whose workers they are (default: ${DEFAULT-VALUE}).")
    private String pool;

    abstract PoolModels change(ModelClient models, String version, String pool);

    @Override
    void run(Console console, ModelClient models) {
      tell(console, change(models, version, pool));
    }
  }

  /** What a pool is to have, and how that stands with its workers. */
  private static void tell(Console console, PoolModels pool) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "pool_models");
    MessageJson.of(pool).entrySet().forEach(field -> event.add(field.getKey(), field.getValue()));
    console.emit(event);
    String wanted = String.join(", ", pool.getVersionsList());
    console.say(
        "pool "
            + console.bold(FieldViolation.shown(pool.getPool()))
            + (wanted.isEmpty() ? " is to have no version" : " is to have " + wanted));
    for (PoolVersion state : pool.getStatesList()) {
      console.say(
          String.format(
              Locale.ROOT,
              "    %s  %s with %s%s",
              state.getVersion(),
              EnumNames.of(state.getState()).toLowerCase(Locale.ROOT),
              JobReport.plural(state.getWorkers(), "worker"),
              state.getReason().isEmpty() ? "" : ": " + FieldViolation.shown(state.getReason())));
    }
  }

  @Command(
      name = "label",
      description = {
        "Let a label point to a version. Jobs name NAME@LABEL, or NAME for NAME@latest.",
        "Jobs that were made keep the version that they have."
      })
  static final class SetLabel extends OfCluster {

    @Parameters(
        paramLabel = "VERSION",
        description = "NAME@DIGEST or NAME@LABEL; with --delete, NAME.")
    private String version;

    @Parameters(index = "1", paramLabel = "LABEL", description = "Such as latest.")
    private String label;

    @Option(names = "--delete", description = "Take the label away.")
    private boolean delete;

    @Override
    void run(Console console, ModelClient models) {
      RegisteredModel model =
          delete ? models.deleteLabel(version, label) : models.label(version, label);
      JsonObject event = new JsonObject();
      event.addProperty("event", "labels");
      event.addProperty("model", model.getName());
      JsonObject all = new JsonObject();
      new TreeMap<>(model.getLabelsMap()).forEach(all::addProperty);
      event.add("labels", all);
      console.emit(event);
      console.say(
          delete
              ? "label " + label + " of " + model.getName() + " is gone"
              : model.getName() + "@" + label + " is " + model.getLabelsOrThrow(label));
    }
  }

  @Command(
      name = "delete",
      description = {
        "Delete a version, with its labels and the files that no other version has.",
        "Refused while a job names it that has not ended."
      })
  static final class Delete extends OfCluster {

    @Parameters(paramLabel = "VERSION", description = "NAME@DIGEST.")
    private String version;

    @Override
    void run(Console console, ModelClient models) {
      models.delete(version);
      JsonObject event = new JsonObject();
      event.addProperty("event", "version_deleted");
      event.addProperty("version", version);
      console.emit(event);
      console.say(version + " is deleted");
    }
  }

  private static List<String> labels(RegisteredModel model, ModelVersion version) {
    return new TreeMap<>(model.getLabelsMap())
        .entrySet().stream()
            .filter(label -> label.getValue().equals(version.getName()))
            .map(Map.Entry::getKey)
            .toList();
  }

  /** A version as an event: its name, what else there is of it, and what points to it. */
  private static JsonObject json(String name, ModelVersion version, List<String> labels) {
    JsonObject event = new JsonObject();
    event.addProperty("event", name);
    event.addProperty("version", version.getName());
    JsonObject fields = MessageJson.of(version);
    fields.remove("name");
    fields.remove("defaults");
    fields.entrySet().forEach(field -> event.add(field.getKey(), field.getValue()));
    JsonArray all = new JsonArray();
    labels.forEach(all::add);
    event.add("labels", all);
    return event;
  }

  private static ModelClient.Progress progress(Console console) {
    return (file, bytes, of) ->
        console.live(
            String.format(
                Locale.ROOT,
                "%s: %s of %s",
                FieldViolation.shown(file),
                mebibytes(bytes),
                mebibytes(of)));
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%,.1f MiB", bytes / (double) (1 << 20));
  }
}
