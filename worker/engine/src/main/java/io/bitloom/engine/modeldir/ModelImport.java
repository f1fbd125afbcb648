package io.bitloom.engine.modeldir;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.schedule.SizeClass;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.tokenizer.TokenizerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Makes a model directory of released files or of one's own training: finds out what they hold,
 * checks every tensor, and writes {@code model.json} beside the weights. The directory appears when
 * all is done, and a failed import leaves nothing behind.
 */
public final class ModelImport {
  private final Request request;
  private final Consumer<String> progress;

  /**
   * What to import.
   *
   * @param sources files, and folders to be searched
   * @param transformer weights of the transformer; empty: the one among the sources
   * @param tokenizer weights of the tokenizer; empty: the one among the sources that fits
   * @param text folder of a T5 encoder; empty: the one among the sources, if there is one
   * @param classes names of the classes of a class-conditional model
   * @param section which state dict of the transformer's file; empty: the preferred one
   * @param settings what somebody gives of the architecture
   * @param name name of the model; empty: that of the directory
   * @param description for people; may be empty
   * @param sizes size classes that the model draws, its usual one first; empty: all
   * @param placement how weight files come into the directory
   */
  public record Request(
      List<Path> sources,
      Optional<Path> transformer,
      Optional<Path> tokenizer,
      Optional<Path> text,
      Optional<Path> classes,
      Optional<String> section,
      GivenSettings settings,
      String name,
      String description,
      List<SizeClass> sizes,
      Placement placement) {
    public Request {
      sources = List.copyOf(sources);
      sizes = List.copyOf(sizes);
    }
  }

  private ModelImport(Request request, Consumer<String> progress) {
    this.request = request;
    this.progress = progress;
  }

  /**
   * Imports a model.
   *
   * @param out the directory to make; it must not exist, or be empty
   * @param progress is told what is being done, for people
   * @return the directory
   * @throws WeightsException naming file, tensor and reason, if the files are not one whole model
   */
  public static ModelDirectory run(Request request, Path out, Consumer<String> progress) {
    return new ModelImport(request, progress).run(out);
  }

  private ModelDirectory run(Path out) {
    ImportSources sources = ImportSources.search(request.sources());
    Inspection transformer = transformer(sources);
    Inspection tokenizer = tokenizer(sources, transformer);
    TokenizerConfig tokenizerConfig = tokenizer.tokenizer();
    Inspection paired = paired(transformer, tokenizer, tokenizerConfig);
    Text text = text(sources, paired.transformer());
    check(tokenizer);
    check(paired);
    try (UnfinishedFolder unfinished = new UnfinishedFolder(out)) {
      write(unfinished.folder(), out, paired, tokenizer, text);
      ModelDirectory.open(unfinished.folder().toString());
      unfinished.finish();
    } catch (IOException e) {
      throw new WeightsException(out.toString(), "cannot be written: " + e.getMessage(), e);
    }
    return ModelDirectory.open(out.toString());
  }

  /** What becomes the member {@code text_encoder} of {@code model.json}. */
  private interface Text {
    JsonObject place(ImportedFiles files) throws IOException;
  }

  private Text text(ImportSources sources, InfinityConfig transformer) {
    if (transformer.square() != null) {
      return ImportedClasses.of(request.classes(), transformer.square())::place;
    }
    if (request.classes().isPresent()) {
      throw new WeightsException(
          request.classes().get().toString(),
          "--classes is for class-conditional models, this transformer takes texts");
    }
    Optional<ImportedText> text = ImportedText.find(request.text(), sources);
    text.ifPresent(found -> found.check(transformer.textChannels()));
    return text.<Text>map(found -> found::place).orElse(files -> withoutText());
  }

  private Inspection transformer(ImportSources sources) {
    Checkpoint found =
        request
            .transformer()
            .map(file -> named(file, Role.TRANSFORMER))
            .orElseGet(() -> sources.only(Role.TRANSFORMER, "--transformer"));
    Checkpoint chosen =
        request.section().map(section -> Checkpoints.read(found.file(), section)).orElse(found);
    if (!chosen.section().equals(Checkpoint.BARE)) {
      progress.accept(
          chosen.file()
              + ": takes "
              + chosen.section()
              + " of "
              + String.join(", ", Checkpoints.sections(chosen.file())));
    }
    return inspect(chosen, Role.TRANSFORMER);
  }

  private Inspection tokenizer(ImportSources sources, Inspection transformer) {
    if (request.tokenizer().isPresent()) {
      return inspect(named(request.tokenizer().get(), Role.TOKENIZER), Role.TOKENIZER);
    }
    List<Checkpoint> all = sources.all(Role.TOKENIZER);
    List<Inspection> fitting =
        all.stream()
            .map(candidate -> inspect(candidate, Role.TOKENIZER))
            .filter(candidate -> fits(transformer, candidate.tokenizer()))
            .toList();
    return fitting.size() == 1
        ? fitting.get(0)
        : inspect(sources.only(Role.TOKENIZER, "--tokenizer"), Role.TOKENIZER);
  }

  private static boolean fits(Inspection transformer, TokenizerConfig tokenizer) {
    int bits = transformer.bitsPerToken();
    if (transformer.isVar() != tokenizer.vectorQuantized()) {
      return false;
    }
    return bits == tokenizer.codebookDim() || bits == Pairing.PATCH_CELLS * tokenizer.codebookDim();
  }

  /** The same transformer with the patchify setting that follows from its tokenizer. */
  private Inspection paired(
      Inspection transformer, Inspection tokenizer, TokenizerConfig tokenizerConfig) {
    Inspection paired = transformer.patchified(tokenizerConfig);
    InfinityConfig config = paired.transformer();
    Pairing.check(
        paired.checkpoint().file().toString(),
        config,
        config.bitsPerToken(),
        tokenizer.checkpoint().file().toString(),
        tokenizerConfig);
    return paired;
  }

  private static Checkpoint named(Path file, Role role) {
    for (Checkpoint checkpoint : Checkpoints.all(file)) {
      if (ImportSources.role(checkpoint).filter(role::equals).isPresent()) {
        return checkpoint;
      }
    }
    throw new WeightsException(file.toString(), "holds no tensors of a " + role.label());
  }

  private Inspection inspect(Checkpoint checkpoint, Role role) {
    return Inspection.of(checkpoint, role, request.settings());
  }

  private void check(Inspection part) {
    progress.accept(
        part.checkpoint().file() + ": reads every tensor of the " + part.role().label());
    List<String> faults = part.faults();
    if (faults.isEmpty()) {
      faults = part.dataFaults();
    }
    if (!faults.isEmpty()) {
      String rest = faults.size() > 1 ? " (and " + (faults.size() - 1) + " more)" : "";
      throw new WeightsException(faults.get(0) + rest);
    }
  }

  private void write(Path folder, Path out, Inspection transformer, Inspection tokenizer, Text text)
      throws IOException {
    ImportedFiles files = new ImportedFiles(folder, request.placement(), progress);
    JsonObject json = new JsonObject();
    json.addProperty("format", 1);
    json.addProperty("name", request.name().isEmpty() ? nameOf(out) : request.name());
    json.addProperty("description", description(transformer, tokenizer));
    json.add("sizes", sizes(transformer));
    json.add(
        "defaults",
        ReleasedDefaults.of(transformer.transformer(), transformer.preset().orElse("")));
    json.add("transformer", files.place(transformer));
    json.add("tokenizer", files.place(tokenizer));
    json.add("text_encoder", text.place(files));
    json.add("sha256", files.digests());
    String content =
        new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(json);
    Files.writeString(folder.resolve("model.json"), content + "\n");
  }

  private JsonObject withoutText() {
    progress.accept(
        "No text encoder: prompts are hashed, and pictures do not show what they say (--text)");
    JsonObject encoder = new JsonObject();
    encoder.addProperty("type", "hashed_words");
    return encoder;
  }

  private static String nameOf(Path out) {
    String name = out.toAbsolutePath().normalize().getFileName().toString();
    return name.replaceAll("[^A-Za-z0-9._-]", "-").replaceAll("^[._-]+", "");
  }

  private String description(Inspection transformer, Inspection tokenizer) {
    if (!request.description().isEmpty()) {
      return request.description();
    }
    return "Imported from "
        + transformer.checkpoint().file().getFileName()
        + " and "
        + tokenizer.checkpoint().file().getFileName()
        + ".";
  }

  private JsonArray sizes(Inspection transformer) {
    List<SizeClass> sizes =
        request.sizes().isEmpty()
            ? ReleasedDefaults.sizes(transformer.transformer(), transformer.preset().orElse(""))
            : request.sizes();
    JsonArray labels = new JsonArray();
    sizes.forEach(size -> labels.add(size.label()));
    return labels;
  }
}
