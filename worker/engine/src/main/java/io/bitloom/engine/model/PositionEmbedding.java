package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Learned absolute positions, which are added to the tokens together with the level embedding where
 * attention does not turn queries and keys by their positions ({@link Rope2d}).
 */
interface PositionEmbedding extends AutoCloseable {
  /** Rows of the tables: every place that {@link Rope2d} knows. */
  int PLACES = Rope2d.GRID;

  String ROWS = "pos_embed.rows.weight";
  String COLUMNS = "pos_embed.columns.weight";

  /** What is added to the tokens of scale k of a schedule, (1, h·w, C). */
  Tensor of(int k, List<Scale> schedule);

  @Override
  default void close() {}

  /** The embedding of an architecture; null where positions are rotary. */
  static PositionEmbedding of(InfinityConfig config, Parameters parameters) {
    if (config.square() != null) {
      return ofVar(config, parameters);
    }
    return config.learnedPositions() ? new OfPlaces(config, parameters) : null;
  }

  /** VAR: a vector for each token of the one schedule that it draws. */
  private static PositionEmbedding ofVar(InfinityConfig config, Parameters parameters) {
    Tensor table = parameters.get("pos_1LC", 1, config.square().tokens(), config.embedDim());
    return (k, schedule) -> {
      int before = schedule.subList(0, k).stream().mapToInt(Scale::tokens).sum();
      return table.narrow(1, before, schedule.get(k).tokens());
    };
  }

  /**
   * Infinity, for comparison with RoPE2d: a vector for the row and one for the column of the place
   * that a token has on the largest grid of its aspect ratio, as in RoPE2d's mode 2. So there are
   * positions for every schedule, and tokens of different scales at one place share them.
   */
  final class OfPlaces implements PositionEmbedding {
    private final int width;
    private final Tensor rows; // (places, C)
    private final Tensor columns; // (places, C)
    private final PerSchedule places; // of each scale's rows, then its columns

    private OfPlaces(InfinityConfig config, Parameters parameters) {
      width = config.embedDim();
      rows = parameters.get(ROWS, PLACES, width);
      columns = parameters.get(COLUMNS, PLACES, width);
      places =
          new PerSchedule(
              schedule -> {
                long[] all = schedule.stream().flatMapToLong(s -> places(s, schedule)).toArray();
                return Tensors.of(all, parameters.device(), all.length);
              });
    }

    private static LongStream places(Scale scale, List<Scale> schedule) {
      Scale largest = Rope2d.largestGrid(schedule);
      return LongStream.concat(
          LongStream.of(Rope2d.positions(scale.height(), largest.height())),
          LongStream.of(Rope2d.positions(scale.width(), largest.width())));
    }

    @Override
    public Tensor of(int k, List<Scale> schedule) {
      Scale scale = schedule.get(k);
      int h = scale.height();
      int w = scale.width();
      int before = schedule.subList(0, k).stream().mapToInt(s -> s.height() + s.width()).sum();
      Tensor all = places.of(schedule);
      Tensor perRow = Tensors.rows(rows, all.narrow(0, before, h)); // (h, C)
      Tensor perColumn = Tensors.rows(columns, all.narrow(0, before + h, w)); // (w, C)
      return perRow.unsqueeze(1).add(perColumn.unsqueeze(0)).reshape(1, scale.tokens(), width);
    }

    @Override
    public void close() {
      places.close();
    }
  }
}
