package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import io.bitloom.client.cluster.ClusterConfig;
import io.bitloom.client.cluster.LocalCluster;
import io.bitloom.client.cluster.RestartPolicy;
import io.bitloom.client.input.PromptInput;
import io.bitloom.client.output.ImageFolder;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.prompt.PromptFileException;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.v1.Job;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "demo",
    description = {
      "Show all of it: cluster, job and images on this machine.",
      "Starts a Redis, a coordinator and a worker, submits prompts in several",
      "aspect ratios as one job, fetches its images and stops everything."
    })
final class DemoCommand implements Callable<Integer> {

  private static final String LOGS = "logs";
  private static final String BUNDLED = "demo-prompts.jsonl";
  private static final long POLL_MILLIS = 50;

  /** The demo is over before the optimising compiler would have paid off. */
  private static final String QUICK_START = "-XX:TieredStopAtLevel=1";

  @Spec private CommandSpec command;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "out/demo",
      description = "Folder for the images (default: ${DEFAULT-VALUE}); an earlier demo's go.")
  private Path out;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = "Your own JSONL file of prompts; default: ${COMMAND-NAME}'s 24.")
  private String prompts;

  @Mixin private ClusterOptions options;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() throws IOException {
    Console console = output.console();
    long startNanos = System.nanoTime();
    refuseFolderOfAnotherJob();
    ImageFolder.clear(out);
    Path data = Files.createTempDirectory("bitloom-demo");
    console.say("Starting a Redis, a coordinator and " + workers() + " on this machine …");
    try (LocalCluster cluster = LocalCluster.start(config(data), restart -> {});
        BitloomClient client = BitloomClient.builder(cluster.grpcAddress()).build()) {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(cluster, data), "stop-cluster"));
      cluster.whenBroken(client::close);
      Download download = new Download(console, client, out);
      Job job = run(console, client, cluster, download);
      sayTimes(console, startNanos, download.firstImageNanos());
      return ExitCode.of(job);
    } finally {
      deleteAll(data);
    }
  }

  /** Images that no demo drew must not go with those of an earlier one. */
  private void refuseFolderOfAnotherJob() throws IOException {
    Optional<String> there = ImageFolder.jobOf(out);
    if (there.isPresent() && !Files.exists(out.resolve(LOGS))) {
      throw new ParameterException(
          command.commandLine(),
          "--out "
              + out
              + " holds the images of "
              + there.get()
              + ", which was no demo;"
              + " choose another folder");
    }
  }

  /** After Ctrl-C. */
  private static void stop(LocalCluster cluster, Path data) {
    cluster.close();
    try {
      deleteAll(data);
    } catch (IOException | UncheckedIOException e) {
      // The main thread does the same at this moment; what is left is in the temporary folder.
    }
  }

  private String workers() {
    int count = options.workers().count();
    return count == 1 ? "a worker" : count + " workers";
  }

  private ClusterConfig config(Path data) {
    return new ClusterConfig(
        options.home(),
        data,
        out.resolve(LOGS),
        0,
        0,
        options.workers(),
        options.model(),
        QUICK_START,
        RestartPolicy.NEVER);
  }

  private static void sayTimes(Console console, long startNanos, long firstNanos) {
    if (firstNanos != 0) {
      console.say(
          String.format(
              Locale.ROOT,
              "First image after %.1f s, all of it in %.1f s",
              (firstNanos - startNanos) / 1e9,
              (System.nanoTime() - startNanos) / 1e9));
    }
  }

  private Job run(Console console, BitloomClient client, LocalCluster cluster, Download download)
      throws IOException {
    try {
      Model model = awaitModel(client);
      announce(console, model);
      return draw(console, client, model, download);
    } catch (BitloomException e) {
      Optional<String> broken = cluster.broken();
      if (broken.isPresent()) {
        throw new IOException(broken.get(), e);
      }
      throw e;
    }
  }

  /** Waits until a worker has loaded its model; ends by the client's closing if none ever does. */
  private static Model awaitModel(BitloomClient client) throws IOException {
    try {
      List<Model> models = client.listModels();
      while (models.isEmpty()) {
        Thread.sleep(POLL_MILLIS);
        models = client.listModels();
      }
      return models.get(0);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the worker started", e);
    }
  }

  private static void announce(Console console, Model model) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "model");
    event.addProperty("name", model.getName());
    event.addProperty("digest", model.getDigest());
    event.addProperty("description", model.getDescription());
    console.emit(event);
    console.say("Model " + console.bold(model.getName()) + ": " + model.getDescription());
  }

  private Job draw(Console console, BitloomClient client, Model model, Download download)
      throws IOException {
    PromptCheck check = new PromptCheck(Prompt.getDefaultInstance(), model, PromptRules.defaults());
    if (prompts == null) {
      return draw(console, client, model, PromptFile.bundled(BUNDLED, check), download);
    }
    try (PromptInput input =
        PromptInput.open(
            prompts, Optional.empty(), Map.of(), PromptInput.PATIENCE, console::note)) {
      return draw(console, client, model, PromptFile.of(input, check), download);
    }
  }

  private static Job draw(
      Console console, BitloomClient client, Model model, PromptFile file, Download download)
      throws IOException {
    JobSubmission submission = new JobSubmission(console, file);
    PromptFile.Contents contents = submission.check();
    if (contents.badLines() > 0 || contents.prompts() == 0) {
      throw new PromptFileException(
          file.name(),
          contents.badLines() > 0
              ? "has " + JobReport.plural(contents.badLines(), "bad line") + "; nothing was drawn"
              : "has no prompts; nothing was drawn");
    }
    Job job =
        JobSubmission.create(
            client, Job.newBuilder().setDisplayName("demo").setModel(model.getName()).build());
    job = submission.send(client, job, contents.prompts());
    console.say(
        JobReport.plural(contents.prompts(), "prompt")
            + " in "
            + JobReport.plural(contents.schedules().size(), "scale schedule")
            + " as "
            + job.getName());
    job = download.run(job, true, "Bitloom demo", model.getDescription());
    JobReport.conclude(console, job);
    return job;
  }

  private static void deleteAll(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
