/** Whether somebody means a file who chose the folder that it is in: what begins with a dot is hidden from people. */
export function isMeant(file: File): boolean {
  return !(file.webkitRelativePath || file.name).split('/').some((part) => part.startsWith('.'));
}

/** Files out of what was dropped: folders are gone into, in the order of their names. */
export async function filesOf(transfer: DataTransfer): Promise<File[]> {
  // Entries have to be asked for before anything is waited for: the browser forgets them then.
  const entries = [...transfer.items]
    .filter((item) => item.kind === 'file')
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const files: File[] = [];
  for (const entry of entries) {
    if (entry instanceof File) files.push(entry);
    else if (entry) await collect(entry, files);
  }
  return files;
}

async function collect(entry: FileSystemEntry, files: File[]): Promise<void> {
  if (entry.name.startsWith('.')) return;
  if (entry.isFile) {
    files.push(
      await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject)
      )
    );
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const inside: FileSystemEntry[] = [];
  for (;;) {
    // A reader gives a hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (some.length === 0) break;
    inside.push(...some);
  }
  inside.sort((a, b) => a.name.localeCompare(b.name));
  for (const one of inside) await collect(one, files);
}
