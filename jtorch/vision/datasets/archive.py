"""Datasets that are published as one archive of files with known checksums."""

import os

from jtorch.vision.datasets.utils import check_integrity, download_and_extract_archive
from jtorch.vision.datasets.vision import VisionDataset


class ArchivedDataset(VisionDataset):
    """A dataset whose files lie in `base_folder` and come out of the archive at `url`.

    Subclasses say url, filename and tgz_md5 of the archive, and (name, checksum) of the files that must be there.
    """

    base_folder: str
    url: str
    filename: str
    tgz_md5: str
    train_list: list
    test_list: list

    def _path(self, name):
        return os.path.join(self.root, self.base_folder, name)

    def _check_integrity(self):
        return all(check_integrity(self._path(name), md5) for name, md5 in self.train_list + self.test_list)

    def download(self):
        """Fetch and unpack the files, unless they are there."""
        if not self._check_integrity():
            download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.tgz_md5)
