package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import com.google.protobuf.util.Durations;
import io.bitloom.client.input.PromptInput;
import io.bitloom.client.output.ImageFolder;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.cli.ErrorEvent;
import io.bitloom.common.cli.OptionRule;
import io.bitloom.common.cli.OutputFolder;
import io.bitloom.common.cli.PromptOptions;
import io.bitloom.common.cli.Range;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.FileFaults;
import io.bitloom.common.prompt.PromptFormat;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobInput;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "submit",
    description = {
      "Submit a file of prompts as one job and fetch its images.",
      "The whole file is checked first: if lines are bad, they are named and nothing",
      "is submitted."
    },
    footer = {
      "",
      "Fields of a line; only prompt is required:",
      "  custom_id, prompt, negative_prompt, enable_positive_prompt, aspect_ratio (\"3:2\")",
      "  or h_div_w (1.5), size, seed, num_images, preset, guidance, guidance_schedule,",
      "  guidance_layers, temperature, top_p, top_k, greedy, format, quality",
      "Ctrl-C leaves the job running; the last line says how to come back."
    })
@OptionRule(options = "--offline", onlyWith = "--dry-run")
@OptionRule(
    options = {"--no-wait", "--resume"},
    notWith = "--dry-run")
@OptionRule(
    options = {
      "--model",
      "--coordinator",
      "--token",
      "--insecure",
      "--tls",
      "--tls-ca",
      "--tls-cert",
      "--tls-key"
    },
    notWith = "--offline")
@OptionRule(
    options = {"--name", "--priority", "--label", "--window", "--webhook"},
    notWith = "--resume")
final class SubmitCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Parameters(
      paramLabel = "FILE",
      description = {
        "The prompts: a file (.jsonl, .txt, .csv; also .gz or .zst), a folder of such files,",
        "a pipe, - for standard input, or s3://BUCKET/KEY, which the coordinator reads."
      })
  private String argument;

  @Option(names = "--out", paramLabel = "DIR", description = "Folder for the images.")
  private Path out;

  @Option(names = "--dry-run", description = "Check everything, submit nothing.")
  private boolean dryRun;

  @Option(names = "--offline", description = "With --dry-run: check without a coordinator.")
  private boolean offline;

  @Option(names = "--skip-bad-lines", description = "Submit the good lines of a file; exit with 3.")
  private boolean skipBadLines;

  @Option(names = "--no-wait", description = "Return as soon as the job is submitted.")
  private boolean noWait;

  @Option(names = "--name", paramLabel = "TEXT", description = "The job's name for people.")
  private String name;

  @Option(names = "--priority", paramLabel = "N", description = "0 (last) to 9 (first); default 5.")
  @Range(min = 0, max = 9)
  private Integer priority;

  @Option(names = "--label", paramLabel = "KEY=VALUE", description = "Labels of the job.")
  private Map<String, String> labels = new LinkedHashMap<>();

  @Option(
      names = "--window",
      paramLabel = "TIME",
      description = "What is not drawn after this time expires: 30m, 12h, 2d.")
  private String window;

  @Option(
      names = "--webhook",
      paramLabel = "URL",
      description = "Is told what becomes of the job, by signed requests.")
  private String webhook = "";

  @Option(names = "--model", paramLabel = "NAME", description = "The model that draws.")
  private String modelName = "";

  @Option(
      names = "--input-format",
      paramLabel = "FORMAT",
      description =
          "jsonl, txt (a prompt a line), csv or parquet; default: by the file's name, else jsonl.")
  private String inputFormat;

  @Option(
      names = "--column",
      paramLabel = "NAME=FIELD",
      description = "Of a table: the field of a prompt that a column has; may be repeated.")
  private Map<String, String> columns = new LinkedHashMap<>();

  @Option(
      names = "--patience",
      paramLabel = "TIME",
      description = "How long a pipe may be silent before its first prompt (default: 30s).")
  private String patience;

  @Mixin private JobChoice choice;
  @Mixin private PromptOptions prompts;
  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  private PromptInput input;

  @Override
  public Integer call() throws IOException {
    choice.check();
    if (out != null) {
      refuseUnwritable();
    }
    Console console = output.console();
    Prompt defaults = prompts.defaults();
    if (window != null) {
      duration("window", window);
    }
    if (!offline) {
      connection.coordinator();
    }
    if (argument.startsWith(ObjectInput.SCHEME)) {
      return submitObject(console);
    }
    Duration silence = patience == null ? PromptInput.PATIENCE : duration("patience", patience);
    try (PromptInput opened =
        PromptInput.open(argument, format(), columns, silence, console::note)) {
      input = opened;
      return run(console, defaults);
    }
  }

  /** The coordinator checks an object itself before it queues anything. */
  private int submitObject(Console console) throws IOException {
    for (String option :
        List.of("--dry-run", "--offline", "--skip-bad-lines", "--patience", "--resume")) {
      if (command.commandLine().getParseResult().hasMatchedOption(option)) {
        throw new ParameterException(
            command.commandLine(), option + " has no effect with an object, " + argument);
      }
    }
    JobInput.Builder from = JobInput.newBuilder().setUri(argument).putAllColumns(columns);
    format().ifPresent(format -> from.setFormat(format.toString()));
    try (BitloomClient client = connection.client()) {
      return new ObjectSubmission(console, client, out)
          .run(
              newJob(argument.substring(argument.lastIndexOf('/') + 1)).toBuilder()
                  .setInput(from)
                  .build(),
              choice.requestIdOr(UUID.randomUUID().toString()),
              this::follow,
              noWait);
    }
  }

  /** Before anything is read or submitted: drawing takes long. */
  private void refuseUnwritable() {
    OutputFolder.require(command, "--out", out);
    try {
      ImageFolder.check(out);
    } catch (IOException e) {
      throw new ParameterException(command.commandLine(), "--out: " + FileFaults.message(e), e);
    }
  }

  private int run(Console console, Prompt defaults) throws IOException {
    if (offline) {
      return check(
          console, new JobSubmission(console, file(PromptCheck.offline(defaults))).check());
    }
    try (BitloomClient client = connection.client()) {
      Optional<List<Model>> models = models(client);
      if (models.isEmpty()) {
        return unreachable(
            console, new JobSubmission(console, file(PromptCheck.offline(defaults))));
      }
      Model model = JobSubmission.model(models.get(), modelName);
      prompts.requireSize(model.getName(), model.getSizesList());
      PromptRules rules = new PromptRules(client.limits().getPromptCharacters());
      JobSubmission submission =
          new JobSubmission(console, file(new PromptCheck(defaults, model, rules)));
      if (dryRun) {
        PromptFile.Contents contents = submission.check();
        int checked = check(console, contents);
        if (checked != ExitCode.USAGE) {
          choice.refuseFolder(
              client, new JobChoice.Submitted(input.name(), newJob(), model, contents), out);
          estimate(console, client, file(new PromptCheck(defaults, model, rules)));
        }
        return checked;
      }
      return submit(console, client, submission, model);
    }
  }

  /** Empty if no coordinator answers. */
  private static Optional<List<Model>> models(BitloomClient client) {
    try {
      return Optional.of(client.listModels());
    } catch (BitloomException e) {
      if (e.code() == ErrorCode.COORDINATOR_UNAVAILABLE) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** A bad file is worth saying also where nobody takes it. */
  private int unreachable(Console console, JobSubmission submission) throws IOException {
    PromptFile.Contents contents = submission.check();
    if (exitCode(console, contents) == ExitCode.USAGE) {
      return ExitCode.USAGE;
    }
    throw new BitloomException(
        ErrorCode.COORDINATOR_UNAVAILABLE, "no coordinator answers at " + connection.coordinator());
  }

  /** What the prompts of a good file would take. */
  private void estimate(Console console, BitloomClient client, PromptFile file) {
    EstimatePromptsResponse estimate = client.estimate(newJob(), file::stream);
    JsonObject event = new JsonObject();
    event.addProperty("event", "estimate");
    event.addProperty("model", estimate.getModel());
    event.addProperty("prompts", estimate.getPrompts());
    event.addProperty("images", estimate.getImages());
    event.addProperty("gpu_seconds", estimate.hasGpuSeconds() ? estimate.getGpuSeconds() : null);
    console.emit(event);
    console.say(
        estimate.hasGpuSeconds()
            ? "about "
                + JobProgress.duration(Math.round(estimate.getGpuSeconds()))
                + " of one worker"
            : "how long that takes is not known yet: no image of this model was measured");
  }

  private PromptFile file(PromptCheck check) throws IOException {
    return PromptFile.of(input, check);
  }

  private int check(Console console, PromptFile.Contents contents) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "checked");
    event.addProperty("file", input.name());
    event.addProperty("prompts", contents.prompts());
    event.addProperty("images", contents.images());
    event.addProperty("bad_lines", contents.badLines());
    JsonObject schedules = new JsonObject();
    contents.schedules().forEach(schedules::addProperty);
    event.add("schedules", schedules);
    console.emit(event);
    console.say(
        input.name()
            + ": "
            + JobReport.plural(contents.prompts(), "prompt")
            + ", "
            + JobReport.plural(contents.images(), "image"));
    contents.schedules().forEach((schedule, n) -> console.say("  " + schedule + "  " + n));
    return exitCode(console, contents);
  }

  /** Whether a file may be submitted: {@link ExitCode#USAGE} if not. */
  private int exitCode(Console console, PromptFile.Contents contents) {
    String problem = "";
    if (contents.badLines() > 0 && !skipBadLines) {
      problem =
          JobReport.plural(contents.badLines(), "bad line")
              + " in "
              + input.name()
              + "; nothing was submitted (--skip-bad-lines goes on without them)";
    } else if (contents.prompts() == 0) {
      problem = "no prompts in " + input.name() + "; nothing was submitted";
    }
    if (!problem.isEmpty()) {
      console.complain(problem, ErrorEvent.of(ErrorEvent.INVALID_FILE, problem));
      return ExitCode.USAGE;
    }
    return contents.badLines() > 0 ? ExitCode.PARTIAL : ExitCode.DONE;
  }

  private int submit(Console console, BitloomClient client, JobSubmission submission, Model model)
      throws IOException {
    PromptFile.Contents contents = submission.check();
    int checked = exitCode(console, contents);
    if (checked == ExitCode.USAGE) {
      return checked;
    }
    JobChoice.Submitted submitted =
        new JobChoice.Submitted(input.name(), newJob(), model, contents);
    choice.refuseFolder(client, submitted, out);
    ShellCommand again =
        ShellCommand.of("submit", input.file().toString())
            .sameOptions(command.commandLine().getParseResult());
    Job job;
    try (ResumeHint resumeHint = ResumeHint.notYet(console)) {
      job = choice.job(console, client, submitted);
      input.needed(true);
      resumeHint.submits(job.getName(), again.with("--resume", job.getName()));
      job = submission.send(client, job, contents.prompts());
      input.needed(false);
      resumeHint.allIsSent(job.getName(), follow(job.getName()));
      console.say(console.bold(job.getName()) + "  " + JobReport.counts(job));
      if (noWait) {
        resumeHint.left();
        return checked;
      }
      job =
          out == null
              ? Watch.until(console, client, job.getName())
              : fetch(console, client, job, model);
      resumeHint.done();
    }
    JobReport.conclude(console, job);
    int outcome = ExitCode.of(job);
    return outcome == ExitCode.DONE ? checked : outcome;
  }

  private ShellCommand follow(String job) {
    ShellCommand follow =
        out == null
            ? ShellCommand.of("watch", job)
            : ShellCommand.of("results", job).with("--out", out).with("--follow");
    return follow.sameCoordinator(command.commandLine().getParseResult());
  }

  private Optional<PromptFormat> format() {
    Optional<PromptFormat> format = Optional.ofNullable(inputFormat).flatMap(PromptFormat::find);
    if (inputFormat != null && format.isEmpty()) {
      throw new ParameterException(
          command.commandLine(),
          "--input-format must be one of " + PromptFormat.all() + ", not \"" + inputFormat + "\"");
    }
    return format;
  }

  private Duration duration(String option, String text) {
    try {
      return Settings.duration(option, text);
    } catch (ConfigException e) {
      throw new ParameterException(command.commandLine(), "--" + e.getMessage());
    }
  }

  private Job newJob() {
    return newJob(input.title());
  }

  private Job newJob(String title) {
    Job.Builder job =
        Job.newBuilder()
            .setDisplayName(name == null ? title : name)
            .setModel(modelName)
            .setWebhookUrl(webhook)
            .setDefaults(prompts.defaults())
            .putAllLabels(labels);
    if (priority != null) {
      job.setPriority(priority);
    }
    if (window != null) {
      job.setCompletionWindow(Durations.fromMillis(duration("window", window).toMillis()));
    }
    return job.build();
  }

  private Job fetch(Console console, BitloomClient client, Job job, Model model)
      throws IOException {
    String title = job.getDisplayName().isEmpty() ? job.getName() : job.getDisplayName();
    String note = model.getName() + ": " + model.getDescription();
    return new Download(console, client, out).run(job, true, title, note);
  }
}
