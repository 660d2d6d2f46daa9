import Glibc
import OakumModel
import Outbound

/// Appends pages to a file and forces them to disk. A repetition is a second line with the same id.
struct FileSender: PageSender {
    let isKeyed = false
    private let file: FileSettings

    init(_ file: FileSettings, channel: String) throws(ChannelError) {
        guard file.path.hasPrefix("/"), !file.path.hasSuffix("/"), !file.path.utf8.contains(0) else {
            throw ChannelError(channel: channel, problem: "the file of pages needs an absolute path, not \(file.path)")
        }
        self.file = file
    }

    @concurrent
    func send(_ page: ReadablePage, now: WallTime, progress: SendProgress) async -> SendAnswer {
        let text: [UInt8]
        switch file.format {
        case .json:
            guard let body = WebhookBody.bytes(page, limit: 1 << 20) else { return HTTPChannel.notEncoded }
            text = body + [0x0A]
        case .text: text = Array((PageText(page: page).log + "\n\n").utf8)
        }
        do throws(AppendFailure) {
            try AppendedFile(path: file.path, limitBytes: max(file.limitBytes, 65_536)).append(text, progress)
            return .delivered(receipt: "written to \(file.path)")
        } catch {
            // A disk can be emptied and a folder made, so it is worth another try.
            return .again(after: nil, words: error.words)
        }
    }
}

/// Why nothing was appended.
struct AppendFailure: Error {
    var words: String
}

/// A file that whole records are added to: never a half one that another follows on the same line.
struct AppendedFile {
    let path: String
    let limitBytes: Int64

    func append(_ record: [UInt8], _ progress: SendProgress) throws(AppendFailure) {
        // Not blocking, so that a pipe in its place does not hold up the thread.
        var descriptor = try opened()
        defer { close(descriptor) }
        var status = try self.status(descriptor)
        if status.st_size > 0, status.st_size + record.count > limitBytes {
            guard rename(path, "\(path).1") == 0 else { throw failure("cannot be renamed to \(path).1") }
            close(descriptor)
            descriptor = -1
            descriptor = try opened()
            status = try self.status(descriptor)
        }
        progress.onConnected?()
        var bytes = record
        // A record that a crash cut short ends here, so that it spoils itself alone.
        if try endsWithin(descriptor, status.st_size) { bytes.insert(0x0A, at: 0) }
        let before = status.st_size
        guard try wrote(bytes, descriptor) else {
            let reason = errno
            // Half a record is taken back; should that fail too, the next one begins on a line of its own.
            _ = ftruncate(descriptor, before)
            errno = reason
            throw failure("cannot be written")
        }
        progress.onSent?()
        guard fsync(descriptor) == 0 else { throw failure("cannot be forced to disk") }
        if before == 0 { try syncFolder() }
        progress.onResponse?()
    }

    private func opened() throws(AppendFailure) -> Int32 {
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw failure("cannot be opened") }
        // Other pages wait their turn here, of this process and of others.
        guard flock(descriptor, LOCK_EX) == 0 else {
            let error = failure("cannot be locked")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private func status(_ descriptor: Int32) throws(AppendFailure) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("cannot be looked at") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw AppendFailure(words: "\(path) is no file") }
        return status
    }

    private func endsWithin(_ descriptor: Int32, _ size: Int) throws(AppendFailure) -> Bool {
        guard size > 0 else { return false }
        var last: UInt8 = 0
        guard pread(descriptor, &last, 1, size - 1) == 1 else { throw failure("cannot be read") }
        return last != 0x0A
    }

    private func wrote(_ bytes: [UInt8], _ descriptor: Int32) throws(AppendFailure) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    /// A new file's name must survive as well.
    private func syncFolder() throws(AppendFailure) {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        let folder = end == path.startIndex ? "/" : String(path[..<end])
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("lies in a folder that cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("lies in a folder that cannot be forced to disk") }
    }

    private func failure(_ what: String) -> AppendFailure {
        AppendFailure(words: "\(path) \(what): \(String(cString: strerror(errno)))")
    }
}
