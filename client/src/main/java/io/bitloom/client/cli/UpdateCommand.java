package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.v1.Job;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "update",
    description = {
      "Give a job, also one that has ended, another name, other labels or another webhook.",
      "Labels that are not named stay; one without a value is taken away. With --webhook,",
      "events that were given up are sent again, also to the URL that the job has."
    })
final class UpdateCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Parameters(paramLabel = "JOB", converter = JobName.Converter.class, description = "The job.")
  private JobName name;

  @Option(names = "--name", paramLabel = "TEXT", description = "The job's name for people.")
  private String displayName;

  @Option(
      names = "--label",
      paramLabel = "KEY=VALUE",
      mapFallbackValue = "",
      description = "Labels of the job.")
  private Map<String, String> labels = new LinkedHashMap<>();

  @Option(
      names = "--webhook",
      paramLabel = "URL",
      description = "Is told what becomes of the job, by signed requests.")
  private String webhook;

  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    List<String> parts = new ArrayList<>();
    Job.Builder job = Job.newBuilder().setName(name.resource());
    if (displayName != null) {
      job.setDisplayName(displayName);
      parts.add("display_name");
    }
    if (!labels.isEmpty()) {
      parts.add("labels");
    }
    if (webhook != null) {
      job.setWebhookUrl(webhook);
      parts.add("webhook_url");
    }
    if (parts.isEmpty()) {
      throw new ParameterException(
          command.commandLine(), "update needs --name, --label or --webhook");
    }
    try (BitloomClient client = connection.client()) {
      if (!labels.isEmpty()) {
        job.putAllLabels(client.getJob(name.resource()).getLabelsMap());
        labels.forEach(
            (key, value) -> {
              if (value.isEmpty()) {
                job.removeLabels(key);
              } else {
                job.putLabels(key, value);
              }
            });
      }
      Job changed = client.update(job.build(), parts.toArray(String[]::new));
      JobReport.conclude(output.console(), changed);
      return ExitCode.DONE;
    }
  }
}
