package io.bitloom.client.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.client.sdk.ResumingStream;
import io.bitloom.common.cli.OptionRule;
import io.bitloom.common.cli.OutputFolder;
import io.bitloom.common.cli.PromptOptions;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.results.ImageName;
import io.bitloom.v1.BatchProgress;
import io.bitloom.v1.GenerateRequest;
import io.bitloom.v1.GenerateResponse;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "ask",
    description = {
      "Draw one prompt on the cluster, before everything of yours that waits.",
      "Ctrl-C cancels it."
    })
@OptionRule(
    options = "--quality",
    notWith = {"--format=png", "--format=webp-lossless"})
final class AskCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Parameters(paramLabel = "PROMPT", description = "What to draw.")
  private String text;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "out",
      description = "Folder for the images (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(names = "--model", paramLabel = "NAME", description = "The model that draws.")
  private String model = "";

  @Mixin private PromptOptions options;
  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() throws IOException {
    OutputFolder.require(command, "--out", out);
    Console console = output.console();
    Prompt prompt = options.defaults().toBuilder().setPrompt(text).build();
    GenerateRequest request =
        GenerateRequest.newBuilder().setModel(model).setPrompt(prompt).setProgress(true).build();
    try (BitloomClient client = connection.client();
        ResumingStream<GenerateResponse> answers = client.generate(request)) {
      while (answers.hasNext()) {
        GenerateResponse answer = answers.next();
        if (answer.hasProgress()) {
          show(console, answer.getProgress());
        } else if (answer.hasResult()) {
          console.endLive();
          return save(console, answer.getResult());
        }
      }
    } finally {
      console.endLive();
    }
    throw new BitloomException(
        ErrorCode.COORDINATOR_UNAVAILABLE, "the coordinator ended the call without a result");
  }

  private static void show(Console console, BatchProgress progress) {
    String place = progress.getWorker().isEmpty() ? "" : " on " + progress.getWorker();
    console.live(
        String.format(
            Locale.ROOT, "scale %d of %d%s", progress.getScale(), progress.getScales(), place));
    JsonObject event = new JsonObject();
    event.addProperty("event", "scale");
    event.addProperty("worker", progress.getWorker());
    event.addProperty("scale", progress.getScale());
    event.addProperty("scales", progress.getScales());
    console.emit(event);
  }

  private int save(Console console, PromptResult result) throws IOException {
    if (result.hasFailure()) {
      throw new BitloomException(
          ErrorCode.find(result.getFailure().getReason()).orElse(ErrorCode.INTERNAL),
          result.getFailure().getMessage());
    }
    Files.createDirectories(out);
    long seed = result.getProvenance().getPrompt().getSeed();
    List<String> files = new ArrayList<>();
    for (GeneratedImage image : result.getImages().getImagesList()) {
      String name =
          String.format(
              Locale.ROOT,
              "ask-%d-%d.%s",
              seed,
              image.getIndex(),
              ImageName.extension(image.getFormat()));
      Path file = out.resolve(name);
      WholeFile.write(file, image.getData()::writeTo);
      files.add(file.toString());
      console.say(file.toString());
    }
    JsonObject event = new JsonObject();
    event.addProperty("event", "result");
    event.addProperty("custom_id", result.getCustomId());
    event.addProperty("offset", result.getOffset());
    JsonArray names = new JsonArray();
    files.forEach(names::add);
    event.add("files", names);
    event.addProperty("seed", seed);
    console.emit(event);
    return ExitCode.DONE;
  }
}
