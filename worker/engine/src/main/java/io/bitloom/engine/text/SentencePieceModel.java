package io.bitloom.engine.text;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.bitloom.engine.tensor.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A tokenizer as sentencepiece stores it ({@code spiece.model}, the message {@code ModelProto} of
 * its {@code sentencepiece_model.proto}).
 *
 * @param pieces in the order of their ids
 * @param unknownId id of what no piece fits
 * @param byteFallback whether unknown characters become one piece per byte
 * @param charsMap how characters are normalized, as {@link CharsMap} describes it; may be empty
 */
record SentencePieceModel(
    List<Piece> pieces, int unknownId, boolean byteFallback, byte[] charsMap) {
  private static final long MAX_BYTES = 64L << 20;
  private static final int UNIGRAM = 1;
  private static final int NORMAL = 1;
  private static final int USER_DEFINED = 4;

  /**
   * A piece of text.
   *
   * @param score logarithm of its probability
   * @param userDefined whether it stands for itself wherever it occurs
   */
  record Piece(String text, float score, boolean userDefined) {}

  /**
   * Reads a model file.
   *
   * @throws WeightsException naming the file and what is wrong with it
   */
  static SentencePieceModel read(Path file) {
    try {
      long bytes = Files.size(file);
      if (bytes > MAX_BYTES) {
        throw new WeightsException(
            file.toString(), bytes + " bytes are too many for a sentencepiece model");
      }
      return new Reader(file.toString()).read(Files.readAllBytes(file));
    } catch (InvalidProtocolBufferException e) {
      throw new WeightsException(
          file.toString(), "is not a sentencepiece model: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new WeightsException(file.toString(), "cannot be read: " + e.getMessage(), e);
    }
  }

  /** Reads the fields that a unigram tokenizer needs; the others are passed over. */
  private static final class Reader {
    private final String source;
    private final List<Piece> pieces = new ArrayList<>();
    private int modelType = UNIGRAM;
    private int unknownId;
    private boolean byteFallback;
    private boolean prefix = true;
    private boolean withoutExtraSpace = true;
    private boolean suffix;
    private byte[] charsMap = {};

    Reader(String source) {
      this.source = source;
    }

    SentencePieceModel read(byte[] content) throws IOException {
      CodedInputStream in = CodedInputStream.newInstance(content);
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (WireFormat.getTagFieldNumber(tag)) {
          case 1 -> pieces.add(piece(message(in)));
          case 2 -> trainer(message(in));
          case 3 -> normalizer(message(in));
          default -> in.skipField(tag);
        }
      }
      require(!pieces.isEmpty(), "has no pieces");
      require(
          modelType == UNIGRAM,
          "trainer_spec.model_type: expected 1 (unigram), found " + modelType);
      require(
          unknownId >= 0 && unknownId < pieces.size(),
          "trainer_spec.unk_id: expected less than " + pieces.size() + ", found " + unknownId);
      require(prefix, "normalizer_spec.add_dummy_prefix: expected true, found false");
      require(
          withoutExtraSpace,
          "normalizer_spec.remove_extra_whitespaces: expected true, found false");
      require(!suffix, "trainer_spec.treat_whitespace_as_suffix: expected false, found true");
      return new SentencePieceModel(List.copyOf(pieces), unknownId, byteFallback, charsMap);
    }

    private static Piece piece(CodedInputStream in) throws IOException {
      String text = "";
      float score = 0;
      int type = NORMAL;
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (WireFormat.getTagFieldNumber(tag)) {
          case 1 -> text = in.readStringRequireUtf8();
          case 2 -> score = in.readFloat();
          case 3 -> type = in.readEnum();
          default -> in.skipField(tag);
        }
      }
      return new Piece(text, score, type == USER_DEFINED);
    }

    private void trainer(CodedInputStream in) throws IOException {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (WireFormat.getTagFieldNumber(tag)) {
          case 3 -> modelType = in.readEnum();
          case 24 -> suffix = in.readBool();
          case 35 -> byteFallback = in.readBool();
          case 40 -> unknownId = in.readInt32();
          default -> in.skipField(tag);
        }
      }
    }

    private void normalizer(CodedInputStream in) throws IOException {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        switch (WireFormat.getTagFieldNumber(tag)) {
          case 2 -> charsMap = in.readByteArray();
          case 3 -> prefix = in.readBool();
          case 4 -> withoutExtraSpace = in.readBool();
          default -> in.skipField(tag);
        }
      }
    }

    private static CodedInputStream message(CodedInputStream in) throws IOException {
      return CodedInputStream.newInstance(in.readByteArray());
    }

    private void require(boolean holds, String message) {
      if (!holds) {
        throw new WeightsException(source, message);
      }
    }
  }
}
