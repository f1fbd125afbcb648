package io.bitloom.worker.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.engine.modeldir.FileInspection;
import io.bitloom.engine.modeldir.GivenSettings;
import io.bitloom.engine.modeldir.Role;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bitloom model inspect}: what weight files hold, and whether it is whole. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Lists the tensors of weight files, and the architecture that they make.",
      "Only headers are read; with --strict, every tensor."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:The files can be read; with --strict: nothing is wrong with them.",
      "1:A file cannot be read, or --strict found a fault.",
      "2:The command line is wrong."
    })
public final class ModelInspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "FILE|DIR|NAME",
      converter = ModelPath.class,
      description =
          "A weight file, the index.json of shards, a folder of weight files, a model directory,"
              + " or the name of a built-in model.")
  private Path source;

  @Option(
      names = "--role",
      paramLabel = "ROLE",
      description =
          "transformer, tokenizer or text: what the file is to be (default: seen from the"
              + " tensors).")
  private Role role;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Settings under the official names, or a model.json, that the file is to fit (default:"
              + " those stored in it, or seen from the tensors).")
  private Path config;

  @Option(
      names = "--section",
      paramLabel = "NAME",
      description = "Which weights of a training checkpoint, for example trainer.gpt_fsdp.")
  private String section;

  @Option(
      names = "--strict",
      description =
          "Read every tensor, and fail on any that is missing, left over, of the wrong shape or"
              + " type, or not finite.")
  private boolean strict;

  @Option(names = "--summary", description = "Leave out the list of tensors.")
  private boolean summary;

  @Option(names = "--json", description = "Print one JSON document instead of lines.")
  private boolean json;

  @Override
  public Integer call() {
    for (Path file : config == null ? List.of(source) : List.of(source, config)) {
      if (!Files.exists(file)) {
        throw new ParameterException(spec.commandLine(), file + " does not exist");
      }
    }
    GivenSettings given = config == null ? GivenSettings.none() : GivenSettings.read(config);
    FileInspection.Request request = new FileInspection.Request(role, given, section, strict);
    List<FileInspection> files = FileInspection.of(source, request);
    PrintWriter print = spec.commandLine().getOut();
    if (json) {
      print.println(document(files));
    } else {
      files.forEach(file -> InspectionText.lines(file, summary, strict).forEach(print::println));
    }
    print.flush();
    return files.stream().allMatch(FileInspection::holds)
        ? CommandLine.ExitCode.OK
        : CommandLine.ExitCode.SOFTWARE;
  }

  private JsonObject document(List<FileInspection> files) {
    JsonArray items = new JsonArray();
    files.forEach(file -> items.add(InspectionText.json(file, summary)));
    JsonObject document = new JsonObject();
    document.addProperty("event", "inspected");
    document.addProperty("source", source.toString());
    document.addProperty("strict", strict);
    document.addProperty("holds", files.stream().allMatch(FileInspection::holds));
    document.add("files", items);
    return document;
  }
}
