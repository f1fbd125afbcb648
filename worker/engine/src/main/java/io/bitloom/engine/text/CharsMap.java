package io.bitloom.engine.text;

import io.bitloom.engine.tensor.WeightsException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;

/**
 * Sentencepiece's compiled map of characters to their normal forms: the length of a double-array
 * trie in bytes (32 bits, little-endian), the trie's units of 32 bits, then the normal forms in
 * UTF-8, each with a zero behind it. A leaf of the trie has the offset of its normal form.
 *
 * <p>The native tokenizer believes every index in it and ends the process when one is wrong, so all
 * that a text can reach is followed here first.
 */
final class CharsMap {
  private static final int LABELS = 256;
  private static final int UNIT_BYTES = Integer.BYTES;

  private final String source;
  private final int[] units;
  private final byte[] forms;

  private CharsMap(String source, int[] units, byte[] forms) {
    this.source = source;
    this.units = units;
    this.forms = forms;
  }

  /**
   * Checks a compiled map.
   *
   * @param source names the file and the member in messages
   * @throws WeightsException if it is cut short or an index leads out of it
   */
  static void check(String source, byte[] compiled) {
    ByteBuffer in = ByteBuffer.wrap(compiled).order(ByteOrder.LITTLE_ENDIAN);
    long bytes = in.remaining() < UNIT_BYTES ? -1 : Integer.toUnsignedLong(in.getInt());
    if (bytes < LABELS * UNIT_BYTES || bytes % UNIT_BYTES != 0 || bytes > in.remaining()) {
      throw fault(source, "its trie has " + bytes + " bytes of " + compiled.length);
    }
    int[] units = new int[(int) bytes / UNIT_BYTES];
    in.asIntBuffer().get(units);
    byte[] forms = new byte[in.remaining() - (int) bytes];
    in.position(in.position() + (int) bytes).get(forms);
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(forms));
    } catch (CharacterCodingException e) {
      throw fault(source, "its normal forms are not UTF-8");
    }
    new CharsMap(source, units, forms).walk();
  }

  /** Visits every node that some text leads to. */
  private void walk() {
    BitSet seen = new BitSet(units.length);
    Deque<Integer> open = new ArrayDeque<>();
    visit(offset(units[0]), seen, open);
    while (!open.isEmpty()) {
      int node = open.remove();
      for (int label = 1; label < LABELS; label++) {
        int unit = units[node ^ label];
        if (label(unit) != label) {
          continue;
        }
        int child = node ^ label ^ offset(unit);
        visit(child, seen, open);
        if (hasLeaf(unit)) {
          checkForm(value(units[child]));
        }
      }
    }
  }

  private void visit(int node, BitSet seen, Deque<Integer> open) {
    if (node < 0 || (node | (LABELS - 1)) >= units.length) {
      throw fault(source, "its trie of " + units.length + " units leads to unit " + node);
    }
    if (!seen.get(node)) {
      seen.set(node);
      open.add(node);
    }
  }

  /** A normal form begins where a character begins. */
  private void checkForm(int start) {
    boolean insideCharacter = start < forms.length && (forms[start] & 0xc0) == 0x80;
    if (start > forms.length || insideCharacter) {
      throw fault(
          source, "its normal forms of " + forms.length + " bytes are read from byte " + start);
    }
  }

  private static boolean hasLeaf(int unit) {
    return (unit >>> 8 & 1) == 1;
  }

  private static int value(int unit) {
    return unit & Integer.MAX_VALUE;
  }

  private static int label(int unit) {
    return unit & (1 << 31 | 0xff);
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }

  private static WeightsException fault(String source, String reason) {
    return new WeightsException(source, "the map of characters is broken: " + reason);
  }
}
