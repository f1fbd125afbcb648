package io.bitloom.common.prompt;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;

/**
 * A Parquet file as lines of JSON, a row a line. Columns are those of {@link TableColumns}; others
 * are not even fetched. A row group is read at a time, so its columns must fit into the memory.
 */
final class ParquetLines extends MadeLines {

  /** Of what is read of a row group, compressed or not. */
  private static final int MOST_GROUP_BYTES = 64 << 20;

  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  private final String file;
  private final ParquetFileReader reader;
  private final MessageType schema;
  private final List<String> fields;
  private RecordReader<Group> rows;
  private long rowsLeft;

  /**
   * @param file for messages
   * @param bytes closed with this, and if this fails
   * @param mapping as in {@link TableColumns#fields}
   * @throws PromptFileException if this is no such file, or its columns are not those of prompts
   */
  ParquetLines(String file, SeekableBytes bytes, Map<String, String> mapping) throws IOException {
    this.file = file;
    boolean opened = false;
    try {
      ParquetInput input = new ParquetInput(file, bytes);
      ParquetReadOptions options =
          ParquetReadOptions.builder().withCodecFactory(new PageCodecs(MOST_GROUP_BYTES)).build();
      reader = asked(() -> ParquetFileReader.open(input, options));
      List<Type> columns = reader.getFooter().getFileMetaData().getSchema().getFields();
      List<String> all =
          TableColumns.fields(file, columns.stream().map(Type::getName).toList(), mapping, "");
      List<Type> read = new ArrayList<>();
      List<String> names = new ArrayList<>();
      for (int i = 0; i < columns.size(); i++) {
        if (!all.get(i).isEmpty()) {
          check(columns.get(i));
          read.add(columns.get(i));
          names.add(all.get(i));
        }
      }
      schema = new MessageType("prompts", read);
      fields = List.copyOf(names);
      reader.setRequestedSchema(schema);
      for (BlockMetaData group : reader.getRowGroups()) {
        check(group);
      }
      opened = true;
    } finally {
      if (!opened) {
        bytes.close();
      }
    }
  }

  private interface Call<T> {
    T make() throws IOException;
  }

  /** Errors of the library say nothing of the file, and what is damaged may lead to any of them. */
  private <T> T asked(Call<T> call) throws IOException {
    try {
      return call.make();
    } catch (PromptFileException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new PromptFileException(file, "is no Parquet file that can be read: " + e.getMessage());
    } catch (IOException e) {
      throw e.getCause() instanceof PromptFileException known
          ? known
          : new PromptFileException(file, "is no Parquet file that can be read: " + e.getMessage());
    }
  }

  private void check(Type column) throws PromptFileException {
    boolean readable = column.isPrimitive() && !column.isRepetition(Type.Repetition.REPEATED);
    if (readable) {
      PrimitiveType type = column.asPrimitiveType();
      readable =
          switch (type.getPrimitiveTypeName()) {
            case BINARY ->
                type.getLogicalTypeAnnotation() == null
                    || type.getLogicalTypeAnnotation()
                        instanceof LogicalTypeAnnotation.StringLogicalTypeAnnotation;
            case INT32, INT64 ->
                type.getLogicalTypeAnnotation() == null
                    || type.getLogicalTypeAnnotation()
                        instanceof LogicalTypeAnnotation.IntLogicalTypeAnnotation;
            case FLOAT, DOUBLE, BOOLEAN -> true;
            default -> false;
          };
    }
    if (!readable) {
      throw new PromptFileException(
          file, "has column " + column + ", which is neither a text, a number nor a truth value");
    }
  }

  private void check(BlockMetaData group) throws PromptFileException {
    long bytes = 0;
    for (ColumnChunkMetaData chunk : group.getColumns()) {
      if (schema.containsPath(chunk.getPath().toArray())) {
        bytes += Math.max(chunk.getTotalSize(), chunk.getTotalUncompressedSize());
      }
    }
    if (bytes > MOST_GROUP_BYTES) {
      throw new PromptFileException(
          file,
          "has a row group of "
              + bytes
              + " bytes in the columns that are read, more than "
              + MOST_GROUP_BYTES
              + "; write smaller ones");
    }
  }

  @Override
  protected byte[] more() throws IOException {
    while (rowsLeft == 0) {
      PageReadStore group = asked(reader::readNextRowGroup);
      if (group == null) {
        return null;
      }
      rowsLeft = group.getRowCount();
      rows =
          asked(
              () ->
                  new ColumnIOFactory()
                      .getColumnIO(schema)
                      .getRecordReader(group, new GroupRecordConverter(schema)));
    }
    Group row = asked(rows::read);
    rowsLeft--;
    return (asked(() -> json(row)) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private String json(Group row) {
    JsonObject object = new JsonObject();
    for (int i = 0; i < fields.size(); i++) {
      if (row.getFieldRepetitionCount(i) > 0) {
        object.add(fields.get(i), value(row, i));
      }
    }
    return GSON.toJson(object);
  }

  private JsonPrimitive value(Group row, int column) {
    return switch (schema.getType(column).asPrimitiveType().getPrimitiveTypeName()) {
      case INT32 -> new JsonPrimitive(row.getInteger(column, 0));
      case INT64 -> new JsonPrimitive(row.getLong(column, 0));
      case FLOAT -> new JsonPrimitive(row.getFloat(column, 0));
      case DOUBLE -> new JsonPrimitive(row.getDouble(column, 0));
      case BOOLEAN -> new JsonPrimitive(row.getBoolean(column, 0));
      default -> new JsonPrimitive(row.getBinary(column, 0).toStringUsingUTF8());
    };
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
