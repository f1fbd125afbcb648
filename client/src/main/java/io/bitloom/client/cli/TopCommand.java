package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import com.google.protobuf.MessageOrBuilder;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.json.MessageJson;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "top",
    description = {
      "Show jobs, workers and what waits, again and again; q quits.",
      "Without a terminal, and with --once or --json, it is shown once."
    })
final class TopCommand implements Callable<Integer> {

  private static final int JOBS = 20;
  private static final long INTERVAL_MILLIS = 1000;
  static final List<JobState> OPEN =
      List.of(
          JobState.JOB_STATE_ACCEPTING,
          JobState.JOB_STATE_QUEUED,
          JobState.JOB_STATE_RUNNING,
          JobState.JOB_STATE_PAUSED,
          JobState.JOB_STATE_CANCELLING);

  @Option(names = "--once", description = "Show it once.")
  private boolean once;

  @Option(names = "--all", description = "Jobs that have ended, too.")
  private boolean all;

  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  private final JobSpeeds speeds = new JobSpeeds();

  @Override
  public Integer call() throws IOException {
    Console console = output.console();
    try (BitloomClient client = connection.client()) {
      if (console.isJson()) {
        emit(console, client);
        return ExitCode.DONE;
      }
      if (once || console.columns() == 0) {
        new TopScreen(jobs(client), client.cluster(), 120).lines().forEach(console::say);
        return ExitCode.DONE;
      }
      try (TopFeed feed = new TopFeed(() -> view(client));
          Terminal terminal = Terminal.open()) {
        do {
          Terminal.Size size = terminal.size();
          terminal.show(feed.lines(size.columns()), size);
        } while (!terminal.quitWithin(INTERVAL_MILLIS));
      }
      return ExitCode.DONE;
    }
  }

  private TopFeed.View view(BitloomClient client) {
    List<Job> jobs = jobs(client);
    speeds.look(jobs, System.nanoTime());
    return new TopFeed.View(jobs, client.cluster(), System.nanoTime(), speeds);
  }

  private List<Job> jobs(BitloomClient client) {
    List<Job> jobs = new ArrayList<>();
    Iterator<Job> listed = client.listJobs(all ? List.of() : OPEN, "");
    while (jobs.size() < JOBS && listed.hasNext()) {
      jobs.add(listed.next());
    }
    return jobs;
  }

  private void emit(Console console, BitloomClient client) {
    GetClusterResponse cluster = client.cluster();
    jobs(client).forEach(job -> console.emit(JobReport.json(job)));
    cluster.getWorkersList().forEach(worker -> console.emit(event("worker", worker)));
    cluster.getBucketsList().forEach(bucket -> console.emit(event("bucket", bucket)));
  }

  private static JsonObject event(String name, MessageOrBuilder message) {
    JsonObject event = new JsonObject();
    event.addProperty("event", name);
    MessageJson.of(message)
        .entrySet()
        .forEach(field -> event.add(field.getKey(), field.getValue()));
    return event;
  }
}
