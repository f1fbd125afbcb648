package io.bitloom.coordinator.jobs;

/**
 * How a caller wants the images of results.
 *
 * @param referencesOnly only their names
 * @param downloadUrls where they can be fetched, if the result store says that; else their bytes
 */
record ImageForm(boolean referencesOnly, boolean downloadUrls) {

  static final ImageForm BYTES = new ImageForm(false, false);
}
