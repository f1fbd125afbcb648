package io.bitloom.worker.cli;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.modeldir.ModelConversion;
import io.bitloom.engine.modeldir.ModelDirectory;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bitloom model convert}: writes any weight file as safetensors. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Writes any weight file as safetensors, tensor by tensor.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:The file is written.",
      "1:The source cannot be read, or a value does not fit the type.",
      "2:The command line is wrong."
    })
public final class ModelConvertCommand implements Callable<Integer> {
  private static final double GIGABYTE = 1e9;

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "SOURCE",
      converter = ModelPath.class,
      description = {
        "A weight file, the index.json of shards, or the folder of one of these;",
        "or a model directory or built-in model, which is written as a model directory."
      })
  private Path source;

  @Option(
      names = "--out",
      paramLabel = "FILE|DIR",
      required = true,
      description =
          "A name that ends in .safetensors, or a new folder, in which a large model is sharded.")
  private Path out;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "fp32, bf16 or fp16 (default: as in the source).")
  private WeightType dtype;

  @Option(
      names = "--section",
      paramLabel = "NAME",
      description = "Which weights of a training checkpoint, for example trainer.gpt_fsdp.")
  private String section;

  @Option(
      names = "--shard-size",
      paramLabel = "GB",
      description = "Most gigabytes of a file in a folder (default: 5).")
  private double shardSize = ModelConversion.SHARD_BYTES / GIGABYTE;

  @Option(names = "--json", description = "Print one JSON object instead of lines.")
  private boolean json;

  @Override
  public Integer call() {
    if (!Files.exists(source)) {
      throw new ParameterException(spec.commandLine(), source + " does not exist");
    }
    if (!(shardSize > 0)) {
      throw new ParameterException(
          spec.commandLine(), "--shard-size: expected a positive number, found " + shardSize);
    }
    PrintWriter print = spec.commandLine().getOut();
    boolean whole = ModelDirectory.isAt(source);
    if (spec.commandLine().getParseResult().hasMatchedOption("--shard-size")
        && (whole || ModelConversion.isOneFile(out))) {
      throw new ParameterException(
          spec.commandLine(),
          "--shard-size has an effect only where weights are written to a folder; "
              + (whole ? source + " is a model directory" : out + " is one file"));
    }
    if (whole) {
      if (section != null) {
        throw new ParameterException(
            spec.commandLine(), "--section: " + source + " is a model directory, which has none");
      }
      return done(ModelConversion.writeModel(source, out, WeightType.of(dtype)));
    }
    Checkpoint checkpoint =
        section == null ? Checkpoints.read(source) : Checkpoints.read(source, section);
    if (!json && !checkpoint.section().equals(Checkpoint.BARE)) {
      spec.commandLine()
          .getOut()
          .println(
              source
                  + ": takes "
                  + checkpoint.section()
                  + " of "
                  + String.join(", ", Checkpoints.sections(source)));
    }
    Path written =
        ModelConversion.write(checkpoint, out, WeightType.of(dtype), (long) (shardSize * GIGABYTE));
    return done(written);
  }

  private int done(Path written) {
    PrintWriter print = spec.commandLine().getOut();
    if (json) {
      JsonObject event = new JsonObject();
      event.addProperty("event", "converted");
      event.addProperty("source", source.toString());
      event.addProperty("file", written.toString());
      print.println(event);
    } else {
      print.println(written);
    }
    print.flush();
    return CommandLine.ExitCode.OK;
  }
}
