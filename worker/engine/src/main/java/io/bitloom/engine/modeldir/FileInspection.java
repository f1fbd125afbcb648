package io.bitloom.engine.modeldir;

import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.checkpoint.WeightFiles;
import io.bitloom.engine.model.InfinityConfig;
import io.bitloom.engine.tensor.WeightsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What was found in a weight file.
 *
 * @param file the file, or the index of a sharded set
 * @param sections the state dicts of the file, the inspected one first
 * @param checkpoint the tensors; empty if the file cannot be read
 * @param part the tensors as part of a model; empty if they are of none
 * @param faults what is wrong, each naming file and tensor
 * @param strict whether every tensor was read, and faults count
 */
public record FileInspection(
    Path file,
    List<String> sections,
    Optional<Checkpoint> checkpoint,
    Optional<Inspection> part,
    List<String> faults,
    boolean strict) {

  private static final String NO_PART =
      "holds no tensors of a transformer, tokenizer or text encoder";

  /**
   * How to inspect.
   *
   * @param role what the files are to be; null: seen from the tensors
   * @param given settings that the files are to fit
   * @param section which state dict of a file with several; null: the preferred one
   * @param strict whether to read every tensor
   */
  public record Request(Role role, GivenSettings given, String section, boolean strict) {}

  public FileInspection {
    sections = List.copyOf(sections);
    faults = List.copyOf(faults);
  }

  /** Whether the file can be read and, if inspected strictly, nothing is wrong with it. */
  public boolean holds() {
    return checkpoint.isPresent() && (!strict || faults.isEmpty());
  }

  /**
   * Inspects a weight file, all weight files of a folder, or a model directory.
   *
   * @throws WeightsException if there is no weight file, or the model directory's {@code
   *     model.json} is wrong
   */
  public static List<FileInspection> of(Path source, Request request) {
    if (!Files.isDirectory(source)) {
      return List.of(ofFile(source, request, request.role() != null || request.strict()));
    }
    if (ModelDirectory.isAt(source)) {
      return ofModel(ModelDirectory.open(source.toString()), request);
    }
    List<Path> files = WeightFiles.in(source);
    if (files.isEmpty()) {
      throw new WeightsException(source.toString(), "holds no weight files");
    }
    List<FileInspection> found = new ArrayList<>();
    for (Path file : files) {
      found.add(ofFile(file, request, request.role() != null));
    }
    if (request.strict() && found.stream().allMatch(FileInspection::isOfNoModel)) {
      throw new WeightsException(source.toString(), NO_PART);
    }
    return withPairing(found);
  }

  private boolean isOfNoModel() {
    return checkpoint.isPresent() && part.isEmpty();
  }

  /** The weights of a model directory against its settings; strictly, with their digests. */
  private static List<FileInspection> ofModel(ModelDirectory model, Request request) {
    if (request.strict()) {
      model.readFiles();
    }
    List<FileInspection> found = new ArrayList<>();
    for (Role part : List.of(Role.TRANSFORMER, Role.TOKENIZER)) {
      model
          .checkpoint(part)
          .map(checkpoint -> Inspection.fitting(checkpoint, part, model.settings(part)))
          .ifPresent(inspection -> found.add(of(inspection, request.strict())));
    }
    model.t5().ifPresent(inspection -> found.add(of(inspection, request.strict())));
    if (found.isEmpty()) {
      throw new WeightsException(model.source(), "has random weights, there is nothing to inspect");
    }
    return withPairing(found);
  }

  private static FileInspection ofFile(Path file, Request request, boolean mustBePart) {
    try {
      Checkpoint checkpoint =
          request.section() == null
              ? Checkpoints.read(file)
              : Checkpoints.read(file, request.section());
      Optional<Role> role =
          request.role() != null ? Optional.of(request.role()) : ImportSources.role(checkpoint);
      if (role.isEmpty()) {
        List<String> faults = mustBePart ? List.of(file + ": " + NO_PART) : List.of();
        return new FileInspection(
            file,
            sections(checkpoint),
            Optional.of(checkpoint),
            Optional.empty(),
            faults,
            request.strict());
      }
      return of(Inspection.of(checkpoint, role.get(), request.given()), request.strict());
    } catch (WeightsException e) {
      return new FileInspection(
          file,
          List.of(),
          Optional.empty(),
          Optional.empty(),
          List.of(e.getMessage()),
          request.strict());
    }
  }

  private static FileInspection of(Inspection part, boolean strict) {
    List<String> faults = new ArrayList<>(part.faults());
    if (strict) {
      faults.addAll(part.mixedTypes());
      faults.addAll(part.dataFaults());
    }
    return new FileInspection(
        part.checkpoint().file(),
        sections(part.checkpoint()),
        Optional.of(part.checkpoint()),
        Optional.of(part),
        faults,
        strict);
  }

  private static List<String> sections(Checkpoint checkpoint) {
    List<String> sections = new ArrayList<>(Checkpoints.sections(checkpoint.file()));
    sections.remove(checkpoint.section());
    sections.add(0, checkpoint.section());
    return sections;
  }

  /** Where a folder has one transformer and one tokenizer, they must belong together. */
  private static List<FileInspection> withPairing(List<FileInspection> found) {
    List<FileInspection> transformers = whole(found, Role.TRANSFORMER);
    List<FileInspection> tokenizers = whole(found, Role.TOKENIZER);
    if (transformers.size() != 1 || tokenizers.size() != 1) {
      return found;
    }
    FileInspection transformer = transformers.get(0);
    Inspection tokenizer = tokenizers.get(0).part().orElseThrow();
    try {
      InfinityConfig config =
          transformer.part().orElseThrow().patchified(tokenizer.tokenizer()).transformer();
      Pairing.check(
          transformer.file().toString(),
          config,
          config.bitsPerToken(),
          tokenizer.checkpoint().file().toString(),
          tokenizer.tokenizer());
      return found;
    } catch (WeightsException e) {
      return found.stream()
          .map(file -> file == transformer ? file.with(e.getMessage()) : file)
          .toList();
    }
  }

  private static List<FileInspection> whole(List<FileInspection> found, Role role) {
    return found.stream()
        .filter(file -> file.part().filter(part -> part.role() == role).isPresent())
        .filter(file -> file.faults().isEmpty())
        .toList();
  }

  private FileInspection with(String fault) {
    List<String> more = new ArrayList<>(faults);
    more.add(fault);
    return new FileInspection(file, sections, checkpoint, part, more, strict);
  }
}
