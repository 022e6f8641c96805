"""The pipe of the files in folders."""

from jtorch.utils.data.datapipes._decorator import functional_datapipe
from jtorch.utils.data.datapipes.datapipe import IterDataPipe
from jtorch.utils.data.datapipes.iter.utils import IterableWrapperIterDataPipe
from jtorch.utils.data.datapipes.utils.common import get_file_pathnames_from_root, unsized


@functional_datapipe("list_files")
class FileListerIterDataPipe(IterDataPipe[str]):
    """The paths of the files in one or several folders that fit the masks, sorted within each folder."""

    def __init__(self, root=".", masks="", *, recursive=False, abspath=False, non_deterministic=False, length=-1):
        super().__init__()
        if isinstance(root, str):
            root = [root]
        self.datapipe = root if isinstance(root, IterDataPipe) else IterableWrapperIterDataPipe(root)
        self.masks = masks
        self.recursive = recursive
        self.abspath = abspath
        self.non_deterministic = non_deterministic
        self.length = length

    def __iter__(self):
        for path in self.datapipe:
            yield from get_file_pathnames_from_root(
                path, self.masks, self.recursive, self.abspath, self.non_deterministic
            )

    def __len__(self):
        if self.length == -1:
            raise unsized(self)
        return self.length


__all__ = ["FileListerIterDataPipe"]
