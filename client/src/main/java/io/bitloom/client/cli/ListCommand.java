package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.cli.Range;
import io.bitloom.common.json.EnumNames;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

@Command(
    name = "list",
    description = {
      "List jobs, newest first.",
      "With --watch again and again, in place; q quits. Without a terminal, and with --json,",
      "--watch says a job again when it has changed, and ends when all have ended."
    })
final class ListCommand implements Callable<Integer> {

  @Option(
      names = "--state",
      paramLabel = "STATE",
      split = ",",
      converter = StateConverter.class,
      description = "Only jobs in these states: accepting, queued, running, succeeded, …")
  private List<JobState> states = List.of();

  @Option(
      names = "--filter",
      paramLabel = "TEXT",
      description = "Conditions: \"labels.team = art AND create_time > 2026-01-31T00:00:00Z\".")
  private String filter = "";

  @Option(names = "--label", paramLabel = "KEY=VALUE", description = "Only jobs with these labels.")
  private Map<String, String> labels = new LinkedHashMap<>();

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "50",
      description = "Most jobs to list (default: ${DEFAULT-VALUE}).")
  @Range(min = 1)
  private int limit;

  @Option(names = "--watch", description = "Go on showing how they stand.")
  private boolean watch;

  /** Reads {@code running} or {@code partially_succeeded}. */
  static final class StateConverter implements ITypeConverter<JobState> {
    @Override
    public JobState convert(String value) {
      return EnumNames.find(JobState.class, value)
          .orElseThrow(
              () -> new TypeConversionException("\"" + value + "\" is not a state of a job"));
    }
  }

  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() throws IOException {
    Console console = output.console();
    try (BitloomClient client = connection.client()) {
      if (watch) {
        new JobsWatch(console, () -> jobs(client)).run();
        return ExitCode.DONE;
      }
      List<Job> jobs = jobs(client);
      jobs.forEach(job -> console.emit(JobReport.json(job)));
      print(console, jobs);
      return ExitCode.DONE;
    }
  }

  private List<Job> jobs(BitloomClient client) {
    List<Job> jobs = new ArrayList<>();
    Iterator<Job> all = client.listJobs(states, conditions());
    while (jobs.size() < limit && all.hasNext()) {
      jobs.add(all.next());
    }
    return jobs;
  }

  private static void print(Console console, List<Job> jobs) {
    if (jobs.isEmpty()) {
      console.say("no jobs");
      return;
    }
    List<String> lines =
        new JobTable(jobs, new JobSpeeds(), Instant.now(), console.columns()).lines();
    console.say(console.bold(lines.get(0)));
    lines.subList(1, lines.size()).forEach(console::say);
  }

  private String conditions() {
    List<String> conditions = new ArrayList<>();
    if (!filter.isBlank()) {
      conditions.add(filter);
    }
    labels.forEach((key, value) -> conditions.add("labels." + quoted(key) + " = " + quoted(value)));
    return String.join(" AND ", conditions);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
