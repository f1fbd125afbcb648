package io.bitloom.worker.cli;

import com.google.gson.JsonObject;
import io.bitloom.common.cli.OutputFolder;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.FileFaults;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.image.PictureStrip;
import io.bitloom.engine.image.PngEncoder;
import io.bitloom.engine.image.RgbImage;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.training.eval.TokenizerReconstruction;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code bitloom tokenizer reconstruct}: pictures beside what a tokenizer makes of them. */
@Command(
    name = "reconstruct",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Takes pictures through a tokenizer and back: writes each beside its reconstruction,",
      "and prints how near they are and how many bits it took."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:All pictures are done.",
      "1:No picture could be read, the tokenizer cannot be used, or a file could not be written.",
      "2:The command line is wrong.",
      "3:Some pictures could not be read; they are named."
    })
public final class TokenizerReconstructCommand implements Callable<Integer> {
  private static final int PARTLY_DONE = 3;
  private static final Set<String> EXTENSIONS =
      Set.of("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff");

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "IMAGES",
      arity = "1..*",
      description = "Pictures (PNG, JPEG, WebP, GIF, BMP, TIFF), or folders of them.")
  private List<Path> images;

  @ArgGroup private Source source = new Source();

  /** Which tokenizer. */
  private static final class Source {
    @Option(
        names = "--model",
        paramLabel = "NAME|DIR",
        description = "The tokenizer of a model directory (default: demo).")
    private String model = ModelDirectory.DEMO;

    @Option(
        names = "--tokenizer",
        paramLabel = "FILE",
        description = "A tokenizer's weight file: trained with Bitloom, or official.")
    private Path tokenizer;
  }

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "out/reconstruct",
      description = "Where to (default: out/reconstruct).")
  private Path out;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      description = "0.06M, 0.25M, 0.60M or 1M (default: the model's usual one, of a file 0.06M).")
  private String size;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "${env:BITLOOM_DEVICE:-auto}",
      description = "auto (default), cpu or cuda:N.")
  private String device;

  @Option(names = "--json", description = "Print one JSON object a picture instead of a table.")
  private boolean json;

  @Override
  public Integer call() {
    List<Path> pictures = pictures();
    OutputFolder.make(spec, "--out", out);
    TorchDevice place = device();
    if (source.tokenizer != null) {
      if (!Files.isRegularFile(source.tokenizer)) {
        throw new ParameterException(
            spec.commandLine(), "--tokenizer: " + source.tokenizer + " is no file");
      }
      try (TokenizerReconstruction tokenizer =
          TokenizerReconstruction.of(source.tokenizer, place)) {
        return all(tokenizer, pictures, size(SizeClass.values()[0]));
      }
    }
    ModelDirectory model = ModelDirectory.open(source.model);
    model.verifyFiles();
    try (TokenizerReconstruction tokenizer = TokenizerReconstruction.of(model, place)) {
      return all(tokenizer, pictures, size(model.sizes().get(0)));
    }
  }

  private int all(TokenizerReconstruction tokenizer, List<Path> pictures, SizeClass chosen) {
    PrintWriter print = spec.commandLine().getOut();
    Set<String> taken = new HashSet<>();
    double psnr = 0;
    double ssim = 0;
    int done = 0;
    if (!json) {
      print.println("| picture | pixels | PSNR, dB | SSIM | bits | bits a pixel |");
      print.println("|---|---|---|---|---|---|");
    }
    for (Path picture : pictures) {
      try {
        TokenizerReconstruction.Outcome outcome = tokenizer.reconstruct(picture, chosen);
        Path file = out.resolve(unused(picture, taken));
        write(file, outcome);
        print.println(json ? line(picture, file, outcome) : row(picture, outcome));
        psnr += outcome.psnr();
        ssim += outcome.ssim();
        done++;
      } catch (IOException e) {
        spec.commandLine().getErr().println("bitloom: " + picture + ": " + e.getMessage());
      }
      print.flush();
    }
    if (!json && done > 1) {
      print.printf(
          Locale.ROOT, "| mean of %d | | %.2f | %.4f | | |%n", done, psnr / done, ssim / done);
      print.flush();
    }
    if (done == 0) {
      return CommandLine.ExitCode.SOFTWARE;
    }
    return done == pictures.size() ? CommandLine.ExitCode.OK : PARTLY_DONE;
  }

  private static String row(Path picture, TokenizerReconstruction.Outcome outcome) {
    int width = outcome.original().width();
    int height = outcome.original().height();
    return String.format(
        Locale.ROOT,
        "| %s | %d × %d | %.2f | %.4f | %.0f | %.3f |",
        picture.getFileName(),
        width,
        height,
        outcome.psnr(),
        outcome.ssim(),
        outcome.bits(),
        outcome.bits() / width / height);
  }

  private static JsonObject line(Path picture, Path file, TokenizerReconstruction.Outcome outcome) {
    JsonObject line = new JsonObject();
    line.addProperty("event", "reconstructed");
    line.addProperty("picture", picture.toString());
    line.addProperty("file", file.toString());
    line.addProperty("width", outcome.original().width());
    line.addProperty("height", outcome.original().height());
    if (Double.isFinite(outcome.psnr())) { // equal pictures have no finite one
      line.addProperty("psnr", outcome.psnr());
    }
    line.addProperty("ssim", outcome.ssim());
    line.addProperty("bits", outcome.bits());
    return line;
  }

  /** A name for a picture's result that no other picture of this call has. */
  private static String unused(Path picture, Set<String> taken) {
    String name = picture.getFileName().toString();
    int dot = name.lastIndexOf('.');
    String stem = dot > 0 ? name.substring(0, dot) : name;
    String unused = stem + ".png";
    for (int i = 2; !taken.add(unused.toLowerCase(Locale.ROOT)); i++) {
      unused = stem + "_" + i + ".png";
    }
    return unused;
  }

  private static void write(Path file, TokenizerReconstruction.Outcome outcome) {
    List<RgbImage> both = List.of(outcome.original(), outcome.reconstruction());
    try {
      Files.createDirectories(file.getParent());
      WholeFile.write(file, PngEncoder.encode(PictureStrip.of(both), Map.of()));
    } catch (IOException e) {
      throw new BitloomException(
          ErrorCode.INTERNAL, "a picture cannot be written: " + FileFaults.message(e), e);
    }
  }

  private List<Path> pictures() {
    List<Path> found = new ArrayList<>();
    for (Path image : images) {
      if (!Files.isDirectory(image)) {
        found.add(image);
        continue;
      }
      try (Stream<Path> entries = Files.list(image)) {
        entries.filter(TokenizerReconstructCommand::isPicture).sorted().forEach(found::add);
      } catch (IOException e) {
        throw new ParameterException(
            spec.commandLine(), "the folder cannot be read: " + FileFaults.message(e));
      }
    }
    if (found.isEmpty()) {
      throw new ParameterException(spec.commandLine(), images + ": there are no pictures");
    }
    return found;
  }

  private static boolean isPicture(Path file) {
    String name = file.getFileName().toString();
    return EXTENSIONS.contains(name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT));
  }

  private SizeClass size(SizeClass usual) {
    if (size == null) {
      return usual;
    }
    return SizeClass.find(size)
        .orElseThrow(
            () ->
                new ParameterException(
                    spec.commandLine(),
                    "--size: expected one of " + SizeClass.labels() + ", got \"" + size + "\""));
  }

  private TorchDevice device() {
    try {
      return TorchDevice.parse(device);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
    }
  }
}
