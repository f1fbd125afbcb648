package io.bitloom.engine.text;

import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Tensors;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The texts of a class-conditional model: a prompt is the name of a class, or its number. Its
 * features are one row with one channel, the number.
 *
 * <p>The names come from a file with a line per class, class 0 first. A class may have several,
 * with commas between them ({@code tench, Tinca tinca}): each stands for it, and so does the whole
 * line. Case, width of letters and number of spaces make no difference.
 */
public final class ClassLabels implements TextEncoder {
  private static final int CHANNELS = 1;

  private final int classes;
  private final Map<String, Set<Integer>> numbers = new TreeMap<>(); // by name

  private ClassLabels(String source, List<String> lines, int classes) {
    this.classes = classes;
    if (lines.size() != classes) {
      throw new WeightsException(
          source, "has " + lines.size() + " lines, the model has " + classes + " classes");
    }
    for (int label = 0; label < classes; label++) {
      List<String> names = new ArrayList<>(List.of(lines.get(label).split(",")));
      names.add(lines.get(label));
      for (String name : names) {
        if (plain(name).isEmpty()) {
          throw new WeightsException(source, "line " + (label + 1) + ": has an empty name");
        }
        numbers.computeIfAbsent(plain(name), key -> new LinkedHashSet<>()).add(label);
      }
    }
  }

  /**
   * Reads the names of classes, in UTF-8.
   *
   * @param classes number of classes of the model
   * @throws WeightsException naming file and line, if there are fewer or more, or one has no name
   */
  public static ClassLabels read(Path file, int classes) {
    try {
      return new ClassLabels(file.toString(), Files.readAllLines(file), classes);
    } catch (MalformedInputException e) {
      throw new WeightsException(file.toString(), "is not UTF-8", e);
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  private static String plain(String name) {
    String normal = Normalizer.normalize(name, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
    return normal.strip().replaceAll("\\s+", " ");
  }

  @Override
  public int channels() {
    return CHANNELS;
  }

  @Override
  public Optional<String> refusal(String text) {
    Set<Integer> found = find(text);
    if (found.size() == 1) {
      return Optional.empty();
    }
    return Optional.of(
        found.isEmpty()
            ? "\""
                + text
                + "\" is no class of this model: give a name of one, or a number from 0 to "
                + (classes - 1)
            : "\"" + text + "\" is a name of the classes " + found + ": give the number");
  }

  /** The classes that a text stands for; of several, none is taken. */
  private Set<Integer> find(String text) {
    String plain = plain(text);
    Set<Integer> named = numbers.get(plain);
    if (named != null) {
      return named;
    }
    boolean number = plain.matches("[0-9]{1,9}") && Integer.parseInt(plain) < classes;
    return number ? Set.of(Integer.parseInt(plain)) : Set.of();
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if a text has a {@link #refusal}
   */
  @Override
  public PackedRows encode(List<String> prompts, int maxLength) {
    float[] labels = new float[prompts.size()];
    for (int i = 0; i < labels.length; i++) {
      refusal(prompts.get(i))
          .ifPresent(
              refusal -> {
                throw new IllegalArgumentException(refusal);
              });
      labels[i] = find(prompts.get(i)).iterator().next();
    }
    return new PackedRows(
        Tensors.of(labels, labels.length, CHANNELS), Collections.nCopies(labels.length, 1));
  }

  @Override
  public void close() {
    // holds nothing
  }
}
