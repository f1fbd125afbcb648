package io.bitloom.engine.modeldir;

import com.google.gson.JsonObject;
import io.bitloom.engine.model.SquareVar;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.engine.text.ClassLabels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The names of classes on their way into the directory of a class-conditional model. */
record ImportedClasses(Path names) {
  private static final String FOLDER = "text";

  /**
   * The file that somebody named, checked.
   *
   * @throws WeightsException if there is none, or it does not have a line for every class
   */
  static ImportedClasses of(Optional<Path> names, SquareVar square) {
    Path file =
        names.orElseThrow(
            () ->
                new WeightsException(
                    "import",
                    "the transformer is class-conditional: name a file with the names of its "
                        + square.classes()
                        + " classes, a line for each, with --classes"));
    ClassLabels.read(file, square.classes()).close();
    return new ImportedClasses(file);
  }

  /** Brings the file into the directory; returns the member of {@code model.json}. */
  JsonObject place(ImportedFiles imported) throws IOException {
    JsonObject member = new JsonObject();
    member.addProperty("type", TextEncoders.CLASS_LABELS);
    member.addProperty("names", imported.place(names, FOLDER));
    return member;
  }
}
