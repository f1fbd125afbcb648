package io.bitloom.worker.cli;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.file.FileFaults;
import io.bitloom.common.file.WholeFile;
import io.bitloom.common.prompt.PromptMessages;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.rules.ImagePrompt;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Where {@code bitloom generate} puts its files: {@code a-red-fox-7.png} from prompt and seed,
 * {@code a-red-fox-7_0.png} and so on if there are several images. The same command writes the same
 * files again.
 */
final class GeneratedFiles {
  private static final int MAX_STEM = 40;
  private static final Pattern BETWEEN_WORDS = Pattern.compile("[^\\p{L}\\p{N}]+");

  private final Path folder;
  private final String stem;
  private final int images;
  private final String extension;

  GeneratedFiles(Path folder, ImagePrompt prompt) {
    this.folder = folder;
    this.stem = words(prompt.text()) + "-" + prompt.seed();
    this.images = prompt.numImages();
    this.extension = ImageName.extension(PromptMessages.message(prompt.format()));
  }

  /** The first words of a prompt, fit for a file name; {@code image} if it has no letters. */
  private static String words(String prompt) {
    String words =
        BETWEEN_WORDS
            .matcher(prompt.toLowerCase(Locale.ROOT))
            .replaceAll("-")
            .codePoints()
            .limit(MAX_STEM)
            .mapToObj(Character::toString)
            .collect(Collectors.joining())
            .replaceAll("^-|-$", "");
    return words.isEmpty() ? "image" : words;
  }

  Path image(int index) {
    return folder.resolve(base(index) + "." + extension);
  }

  /** The picture after a scale, counted from 1. */
  Path step(int index, int scale) {
    return folder.resolve(
        String.format(Locale.ROOT, "%s_step%02d.%s", base(index), scale, extension));
  }

  /** All steps beside each other. */
  Path strip(int index) {
    return folder.resolve(base(index) + "_steps." + extension);
  }

  private String base(int index) {
    return images == 1 ? stem : stem + "_" + index;
  }

  /**
   * @throws BitloomException naming the file that cannot be written
   */
  static void write(Path file, byte[] image) {
    try {
      WholeFile.write(file, image);
    } catch (IOException e) {
      throw new BitloomException(
          ErrorCode.INTERNAL, "an image cannot be written: " + FileFaults.message(e), e);
    }
  }
}
