package io.bitloom.client.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ResumingStream;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.manifest.OutcomeStatus;
import io.bitloom.common.prompt.PromptLine;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.Job;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.ReadResultsResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "export",
    description = {
      "Write the prompts of a job and what they came to as a JSONL file.",
      "submit takes such a file, too: it draws the prompts again, with the same seeds.",
      "Prompts that are not done are left out; the exit code is 3 then."
    })
final class ExportCommand implements Callable<Integer> {

  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  @Spec private CommandSpec command;
  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "JOB", converter = JobName.Converter.class, description = "The job.")
  private JobName name;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "The file; one that is there is replaced when all is written.")
  private Path out;

  @Override
  public Integer call() throws IOException {
    Console console = output.console();
    requirePlace();
    try (BitloomClient client = connection.client()) {
      Job job = client.getJob(name.resource());
      AtomicLong lines = new AtomicLong();
      WholeFile.write(out, file -> lines.set(write(client, job, file)));
      JsonObject event = new JsonObject();
      event.addProperty("event", "exported");
      event.addProperty("job", job.getName());
      event.addProperty("prompts", lines.get());
      event.addProperty("of", job.getCounts().getAppended());
      event.addProperty("file", out.toString());
      console.emit(event);
      console.say(JobReport.plural(lines.get(), "prompt") + " in " + out);
      return lines.get() < job.getCounts().getAppended() ? ExitCode.PARTIAL : ExitCode.DONE;
    }
  }

  private void requirePlace() {
    Path folder = out.toAbsolutePath().getParent();
    if (Files.isDirectory(out)) {
      throw new ParameterException(
          command.commandLine(), "--out: " + out + " is a folder; name a file in it");
    }
    if (!Files.isDirectory(folder)) {
      throw new ParameterException(command.commandLine(), "--out: there is no folder " + folder);
    }
  }

  private static long write(BitloomClient client, Job job, OutputStream file) throws IOException {
    ReadResultsRequest request =
        ReadResultsRequest.newBuilder().setName(job.getName()).setReferencesOnly(true).build();
    long lines = 0;
    try (ResumingStream<ReadResultsResponse> results = client.results(request)) {
      while (results.hasNext()) {
        String line = GSON.toJson(line(results.next().getResult())) + "\n";
        file.write(line.getBytes(StandardCharsets.UTF_8));
        lines++;
      }
    }
    return lines;
  }

  /** A prompt line with an {@code outcome}. */
  private static JsonObject line(PromptResult result) {
    JsonObject line =
        JsonParser.parseString(PromptLine.format(result.getProvenance().getPrompt()))
            .getAsJsonObject();
    JsonObject outcome = new JsonObject();
    outcome.addProperty("offset", result.getOffset());
    outcome.addProperty("status", OutcomeStatus.of(result));
    if (result.hasFailure()) {
      outcome.addProperty("reason", result.getFailure().getReason());
      outcome.addProperty("message", result.getFailure().getMessage());
      outcome.addProperty("attempts", result.getFailure().getAttempts());
    } else {
      outcome.addProperty("model_digest", result.getProvenance().getModelDigest());
      JsonArray images = new JsonArray();
      result.getImages().getImagesList().stream().map(ExportCommand::image).forEach(images::add);
      outcome.add("images", images);
    }
    line.add("outcome", outcome);
    return line;
  }

  private static JsonObject image(GeneratedImage image) {
    JsonObject json = new JsonObject();
    json.addProperty("index", image.getIndex());
    json.addProperty("width", image.getWidth());
    json.addProperty("height", image.getHeight());
    json.addProperty("size_bytes", image.getSizeBytes());
    json.addProperty("sha256", HexFormat.of().formatHex(image.getSha256().toByteArray()));
    json.addProperty("uri", image.getUri());
    return json;
  }
}
