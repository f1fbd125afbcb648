package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import io.bitloom.engine.checkpoint.Checkpoint;
import io.bitloom.engine.checkpoint.Checkpoints;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.text.T5Files;
import io.bitloom.engine.text.T5TextEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A T5 encoder as Hugging Face lays it out, on its way into a model directory.
 *
 * @param inspection its weights
 */
record ImportedText(T5Files files, Inspection inspection) {
  private static final String FOLDER = "text";

  /** The encoder in a folder, or the one among the sources; empty if there is none. */
  static Optional<ImportedText> find(Optional<Path> folder, ImportSources sources) {
    if (folder.isPresent()) {
      return Optional.of(in(folder.get()));
    }
    // A downloaded folder has the same encoder in several formats; one of them is picked there.
    List<Path> folders =
        sources.all(Role.TEXT).stream()
            .map(weights -> weights.file().toAbsolutePath().getParent())
            .distinct()
            .toList();
    if (folders.size() > 1) {
      throw new WeightsException(
          "import", "several folders hold a text encoder, name one with --text: " + folders);
    }
    return folders.stream().findFirst().map(ImportedText::in);
  }

  private static ImportedText in(Path folder) {
    T5Files files = T5Files.in(folder);
    Checkpoint weights = Checkpoints.read(files.weights());
    return new ImportedText(files, Inspection.of(weights, Role.TEXT, GivenSettings.none()));
  }

  /**
   * Checks names and shapes of all tensors, and that the transformer reads features of this width.
   *
   * @throws WeightsException naming file and tensor
   */
  void check(int textChannels) {
    List<String> faults = inspection.faults();
    if (!faults.isEmpty()) {
      throw new WeightsException(faults.get(0));
    }
    int width = T5TextEncoder.config(files).dModel();
    if (width != textChannels) {
      throw new WeightsException(
          files.config().toString(),
          "the text encoder and the transformer do not belong together: the encoder's features are "
              + width
              + " wide, the transformer takes "
              + textChannels);
    }
  }

  /** Brings the files into the directory; returns the member of {@code model.json}. */
  JsonObject place(ImportedFiles imported) throws IOException {
    JsonObject member = new JsonObject();
    member.addProperty("type", "t5");
    member.addProperty("config", imported.place(files.config(), FOLDER));
    member.addProperty("tokenizer", imported.place(files.tokenizer(), FOLDER));
    member.addProperty("weights", imported.place(inspection.checkpoint(), FOLDER));
    return member;
  }
}
