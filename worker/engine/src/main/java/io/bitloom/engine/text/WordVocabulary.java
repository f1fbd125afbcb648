package io.bitloom.engine.text;

import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The tokens of a small text encoder that is trained with its image model: whole words, and bytes
 * for words that it does not know, so that every text has tokens of its own.
 *
 * <p>Ids: {@value #END} ends a text, 1 to 256 are the bytes 0 to 255, from {@value #FIRST_WORD} on
 * come the words. A text is normalized (NFKC), lower-cased and cut into runs of letters and digits
 * and single other characters; a word that is not known becomes its bytes in UTF-8 and a space.
 */
public final class WordVocabulary {
  static final int END = 0;
  static final int FIRST_WORD = 257;

  private static final int SPACE = 1 + ' ';
  private static final int MAX_WORDS = 1 << 20;
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}\\p{M}]+|\\S");

  private final List<String> words;
  private final Map<String, Integer> ids = new HashMap<>();

  private WordVocabulary(String source, List<String> words) {
    this.words = List.copyOf(words);
    if (words.size() > MAX_WORDS) {
      throw new WeightsException(
          source, "has " + words.size() + " words, expected at most " + MAX_WORDS);
    }
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (!words(word).equals(List.of(word))) {
        throw new WeightsException(
            source, "line " + (i + 1) + ": \"" + word + "\" is not one word in lower case");
      }
      if (ids.put(word, FIRST_WORD + i) != null) {
        throw new WeightsException(source, "line " + (i + 1) + ": \"" + word + "\" occurs twice");
      }
    }
  }

  /**
   * Reads a vocabulary: one word a line, in UTF-8.
   *
   * @throws WeightsException naming file, line and word, if one is no word or occurs twice
   */
  public static WordVocabulary read(Path file) {
    try {
      return new WordVocabulary(file.toString(), Files.readAllLines(file));
    } catch (MalformedInputException e) {
      throw new WeightsException(file.toString(), "is not UTF-8", e);
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The commonest words of a set of texts, for training; equally common ones in the order of the
   * alphabet.
   */
  public static WordVocabulary ofTexts(Stream<String> texts, int maxWords) {
    Map<String, Long> counts = new HashMap<>();
    texts.forEach(text -> words(text).forEach(word -> counts.merge(word, 1L, Long::sum)));
    Comparator<Map.Entry<String, Long>> commonest =
        Map.Entry.<String, Long>comparingByValue()
            .reversed()
            .thenComparing(Map.Entry.comparingByKey());
    List<String> words =
        counts.entrySet().stream()
            .sorted(commonest)
            .limit(maxWords)
            .map(Map.Entry::getKey)
            .toList();
    return new WordVocabulary("vocabulary", words);
  }

  /** Writes the words as {@link #read} reads them. */
  public void write(Path file) throws IOException {
    Files.write(file, words, StandardCharsets.UTF_8);
  }

  /** Number of ids. */
  public int size() {
    return FIRST_WORD + words.size();
  }

  /**
   * The ids of a text and the end.
   *
   * @param maxLength most ids, at least 1; what is longer is cut before the end
   */
  public long[] ids(String text, int maxLength) {
    List<Long> tokens = new ArrayList<>();
    for (String word : words(text)) {
      Integer id = ids.get(word);
      if (id != null) {
        tokens.add((long) id);
      } else {
        for (byte unit : word.getBytes(StandardCharsets.UTF_8)) {
          tokens.add(1L + Byte.toUnsignedInt(unit));
        }
        tokens.add((long) SPACE);
      }
      if (tokens.size() >= maxLength) {
        break;
      }
    }
    int kept = Math.min(tokens.size(), maxLength - 1);
    long[] ended = new long[kept + 1];
    for (int i = 0; i < kept; i++) {
      ended[i] = tokens.get(i);
    }
    ended[kept] = END;
    return ended;
  }

  private static List<String> words(String text) {
    String plain = Normalizer.normalize(text, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
    Matcher matcher = WORD.matcher(plain);
    List<String> words = new ArrayList<>();
    while (matcher.find()) {
      words.add(matcher.group());
    }
    return words;
  }
}
