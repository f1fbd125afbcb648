package io.bitloom.client.sdk;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;

/**
 * Goes through a paged list, fetching each page when it is needed.
 *
 * @param <R> response with one page
 * @param <T> what is listed
 */
final class Pages<R, T> implements Iterator<T> {

  /**
   * @param nextToken empty on the last page
   */
  record Page<R>(R response, String nextToken) {}

  private final Function<String, Page<R>> fetch;
  private final Function<R, List<T>> items;
  private Iterator<T> page = Collections.emptyIterator();
  private String token = "";
  private boolean atEnd;

  /**
   * @param fetch fetches the page of a token; the first token is empty
   * @param items the items of a page
   */
  Pages(Function<String, Page<R>> fetch, Function<R, List<T>> items) {
    this.fetch = fetch;
    this.items = items;
  }

  @Override
  public boolean hasNext() {
    while (!page.hasNext() && !atEnd) {
      Page<R> fetched = fetch.apply(token);
      page = items.apply(fetched.response()).iterator();
      token = fetched.nextToken();
      atEnd = token.isEmpty();
    }
    return page.hasNext();
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return page.next();
  }
}
