package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.json.EnumNames;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.JobState;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

@Command(name = "list", description = "List jobs, newest first.")
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
  private int limit;

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
  public Integer call() {
    Console console = output.console();
    try (BitloomClient client = connection.client()) {
      List<Job> jobs = new ArrayList<>();
      Iterator<Job> all = client.listJobs(states, conditions());
      while (jobs.size() < limit && all.hasNext()) {
        jobs.add(all.next());
      }
      jobs.forEach(job -> console.emit(JobReport.json(job)));
      print(console, jobs);
      return ExitCode.DONE;
    }
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

  private static void print(Console console, List<Job> jobs) {
    if (jobs.isEmpty()) {
      console.say("no jobs");
      return;
    }
    int width = jobs.stream().mapToInt(job -> job.getName().length()).max().orElse(0);
    String format = "%-" + width + "s  %-19s  %15s  %8s  %9s  %-19s  %s";
    console.say(
        console.bold(
            String.format(
                Locale.ROOT,
                format,
                "JOB",
                "STATE",
                "DONE",
                "FAILED",
                "CANCELLED",
                "CREATED",
                "NAME")));
    for (Job job : jobs) {
      JobCounts counts = job.getCounts();
      console.say(
          String.format(
              Locale.ROOT,
              format,
              job.getName(),
              JobReport.state(job),
              JobReport.done(counts) + "/" + counts.getAppended(),
              counts.getFailed(),
              counts.getCancelled(),
              JobReport.time(job.getCreateTime()),
              job.getDisplayName()));
    }
  }
}
