package io.bitloom.worker.cli;

import com.google.gson.JsonObject;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.modeldir.GivenSettings;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.modeldir.ModelImport;
import io.bitloom.engine.modeldir.Placement;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bitloom model import}: makes a model directory of released files. */
@Command(
    name = "import",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Makes a model directory of released files or of your own training.",
      "Every tensor is read and checked. The directory appears when all is done; an import that"
          + " fails leaves nothing behind."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:The model directory is there.",
      "1:The files are not one whole model; the message says which file and tensor.",
      "2:The command line is wrong."
    })
public final class ModelImportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "SOURCE",
      arity = "0..*",
      description =
          "Weight files (.pth, .safetensors, the index.json of shards), or folders to search for"
              + " them. Which is which is seen from the tensors.")
  private List<Path> sources = List.of();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "The model directory to make.")
  private Path out;

  @Option(
      names = "--transformer",
      paramLabel = "FILE",
      description = "The transformer, where several are found.")
  private Path transformer;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description =
          "The visual tokenizer, where several are found that fit the transformer's bits per"
              + " token.")
  private Path tokenizer;

  @Option(
      names = "--text",
      paramLabel = "DIR",
      description = "The folder of the text encoder, for example flan-t5-xl.")
  private Path text;

  @Option(
      names = "--classes",
      paramLabel = "FILE",
      description =
          "Of a class-conditional VAR the names of its classes, a line for each, class 0 first;"
              + " several names of a class with commas between them.")
  private Path classes;

  @Option(
      names = "--section",
      paramLabel = "NAME",
      description =
          "Which weights of a training checkpoint, for example trainer.gpt_fsdp (default: the"
              + " running average trainer.gpt_ema_fsdp if there is one).")
  private String section;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Settings under the official names as JSON; they go before what the files say. Needed"
              + " only for what cannot be seen in the tensors.")
  private Path config;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Name of the model (default: that of the directory).")
  private String name = "";

  @Option(names = "--description", paramLabel = "TEXT", description = "A sentence for people.")
  private String description = "";

  @Option(
      names = "--sizes",
      paramLabel = "SIZE",
      split = ",",
      description = "Size classes that the model draws, its usual one first (default: all).")
  private List<String> sizes = List.of();

  @Option(
      names = "--link",
      paramLabel = "hard|symbolic",
      arity = "0..1",
      fallbackValue = "hard",
      description =
          "Link the files instead of copying them (default: hard). The linked files must stay as"
              + " they are.")
  private Placement.Link link = Placement.Link.NONE;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description =
          "Convert transformer and tokenizer to safetensors of type fp32, bf16 or fp16 (default:"
              + " files as they are).")
  private WeightType dtype;

  @Option(names = "--json", description = "Print one JSON document instead of lines.")
  private boolean json;

  @Override
  public Integer call() {
    PrintWriter print = spec.commandLine().getOut();
    Consumer<String> progress =
        json
            ? line -> {}
            : line -> {
              print.println(line);
              print.flush();
            };
    ModelDirectory directory = ModelImport.run(request(), out, progress);
    if (json) {
      JsonObject document = new JsonObject();
      document.addProperty("event", "imported");
      document.addProperty("directory", out.toString());
      document.addProperty("name", directory.name());
      document.addProperty("model_digest", directory.digest());
      print.println(document);
    } else {
      print.println("The model " + directory.name() + " is in " + out + ". Draw with it:");
      String prompt = directory.transformer().square() == null ? "a red fox" : "0";
      print.println("  ./bitloom generate \"" + prompt + "\" --model " + out);
    }
    print.flush();
    return CommandLine.ExitCode.OK;
  }

  private ModelImport.Request request() {
    if (sources.isEmpty() && (transformer == null || tokenizer == null)) {
      throw usage("name a SOURCE, or --transformer and --tokenizer");
    }
    sources.forEach(this::requireExisting);
    for (Path file : new Path[] {transformer, tokenizer, text, classes, config}) {
      if (file != null) {
        requireExisting(file);
      }
    }
    return new ModelImport.Request(
        sources,
        Optional.ofNullable(transformer),
        Optional.ofNullable(tokenizer),
        Optional.ofNullable(text),
        Optional.ofNullable(classes),
        Optional.ofNullable(section),
        config == null ? GivenSettings.none() : GivenSettings.read(config),
        name,
        description,
        sizes(),
        placement());
  }

  private void requireExisting(Path file) {
    if (ModelDirectory.BUILT_IN.contains(file.toString()) && !Files.exists(file)) {
      throw usage(
          file + " is a whole model already; \"model convert " + file + "\" writes it to a folder");
    }
    if (!Files.exists(file)) {
      throw usage(file + " does not exist");
    }
  }

  private List<SizeClass> sizes() {
    List<SizeClass> found = new ArrayList<>();
    for (String label : sizes) {
      found.add(
          SizeClass.find(label)
              .orElseThrow(
                  () ->
                      usage(
                          "--sizes: expected some of " + SizeClass.labels() + ", found " + label)));
    }
    return found;
  }

  private Placement placement() {
    try {
      return new Placement(link, WeightType.of(dtype));
    } catch (IllegalArgumentException e) {
      throw usage("--link and --dtype: " + e.getMessage());
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
