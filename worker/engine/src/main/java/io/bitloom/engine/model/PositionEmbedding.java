package io.bitloom.engine.model;

import io.bitloom.common.schedule.Scale;
import io.bitloom.engine.nn.Parameters;
import io.bitloom.engine.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Learned absolute positions, which are added to the tokens together with the level embedding where
 * attention does not turn queries and keys by their positions ({@link Rope2d}).
 */
@FunctionalInterface
interface PositionEmbedding {
  /** Rows of the tables: every place that {@link Rope2d} knows. */
  int PLACES = Rope2d.GRID;

  String ROWS = "pos_embed.rows.weight";
  String COLUMNS = "pos_embed.columns.weight";

  /** What is added to the tokens of scale k of a schedule, (1, h·w, C). */
  Tensor of(int k, List<Scale> schedule);

  /** The embedding of an architecture; null where positions are rotary. */
  static PositionEmbedding of(InfinityConfig config, Parameters parameters) {
    if (config.square() != null) {
      return ofVar(config, parameters);
    }
    return config.learnedPositions() ? ofInfinity(config, parameters) : null;
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
  private static PositionEmbedding ofInfinity(InfinityConfig config, Parameters parameters) {
    int width = config.embedDim();
    Tensor rows = parameters.get(ROWS, PLACES, width);
    Tensor columns = parameters.get(COLUMNS, PLACES, width);
    return (k, schedule) -> {
      Scale scale = schedule.get(k);
      Scale largest = Rope2d.largestGrid(schedule);
      Tensor perRow = places(rows, scale.height(), largest.height()); // (h, C)
      Tensor perColumn = places(columns, scale.width(), largest.width()); // (w, C)
      return perRow.unsqueeze(1).add(perColumn.unsqueeze(0)).reshape(1, scale.tokens(), width);
    };
  }

  private static Tensor places(Tensor table, int count, int largest) {
    Tensor places = Tensors.of(Rope2d.positions(count, largest), count);
    return table.index_select(0, places.to(table.device(), places.scalar_type()));
  }
}
