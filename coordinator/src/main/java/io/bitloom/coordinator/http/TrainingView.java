package io.bitloom.coordinator.http;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.bitloom.common.json.MessageJson;
import io.bitloom.coordinator.http.json.HttpJson;
import io.bitloom.coordinator.training.TrainingRuns;
import io.bitloom.v1.TrainingPicture;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.RoutingContext;

/** Training runs as JSON, and their sample grids. */
final class TrainingView {

  private final TrainingRuns runs;

  TrainingView(TrainingRuns runs) {
    this.runs = runs;
  }

  JsonObject all() {
    JsonArray shown = new JsonArray();
    runs.all().stream().map(TrainingView::json).forEach(shown::add);
    JsonObject all = new JsonObject();
    all.add("runs", shown);
    return all;
  }

  private static JsonObject json(TrainingRuns.Known known) {
    JsonObject json = MessageJson.of(known.run());
    json.addProperty("report_time", known.reported().toString());
    json.addProperty("silent", known.silent());
    json.addProperty("stopping", known.stopping());
    json.addProperty("picture_step", known.picture().map(TrainingPicture::getStep).orElse(0L));
    return json;
  }

  void picture(RoutingContext context) {
    TrainingPicture picture =
        runs.get(context.pathParam("run")).picture().orElse(TrainingPicture.getDefaultInstance());
    if (picture.getPng().isEmpty()) {
      context.fail(404);
      return;
    }
    context
        .response()
        .putHeader("Content-Type", "image/png")
        .putHeader("Cache-Control", "no-cache")
        .end(Buffer.buffer(picture.getPng().toByteArray()));
  }

  void stop(RoutingContext context) {
    HttpJson.send(context, 200, json(runs.stop(context.pathParam("run"))));
  }
}
