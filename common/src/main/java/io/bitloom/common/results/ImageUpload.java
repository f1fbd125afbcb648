package io.bitloom.common.results;

import java.net.URI;
import java.util.Map;

/**
 * Leave to put one image into a result store.
 *
 * @param url for HTTP PUT
 * @param headers what the request must have, besides host and length
 */
public record ImageUpload(URI url, Map<String, String> headers) {

  public ImageUpload {
    headers = Map.copyOf(headers);
  }
}
