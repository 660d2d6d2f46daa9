internal import CLinux
internal import Glibc

/// A trace on disk, plain or compressed.
package struct TraceFile: Hashable, Sendable {
    /// How the file is compressed; told by the end of its name, else by its first bytes.
    enum Compression: Hashable {
        case none
        case zstd
        case gzip
        case xz

        /// Name of the program and of the Debian package that brings it.
        var tool: (program: String, package: String)? {
            switch self {
            case .none: nil
            case .zstd: ("zstd", "zstd")
            case .gzip: ("gzip", "gzip")
            case .xz: ("xz", "xz-utils")
            }
        }
    }

    package var path: String
    package var format: TraceFormat

    package init(path: String, format: TraceFormat) {
        self.path = path
        self.format = format
    }

    /// The name without folders and endings: "OLTP" of `arc/OLTP.lis.zst`.
    package var name: String {
        let file = path.split(separator: "/").last ?? ""
        return String(file.prefix { $0 != "." })
    }

    /// Reads the whole trace, a piece of 256 KiB at a time, decompressed by a child process.
    /// - Parameter use: is told of every access, in order.
    /// - Throws: `TraceError`, which names the file; what came before the damage was told.
    package func forEach(_ use: (TraceAccess) -> Void) throws(TraceError) {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw error(.unreadable(errorText())) }
        defer { close(source) }
        guard let tool = try compression(of: source).tool else { return try decode(source, use) }
        let child = try start(tool.program, package: tool.package, input: source)
        do throws(TraceError) {
            defer { close(child.output) }
            try decode(child.output, use)
        } catch {
            kill(child.pid, SIGKILL)
            _ = exitStatus(of: child.pid)
            throw error
        }
        let status = exitStatus(of: child.pid)
        guard status == 0 else {
            throw error(
                .undecodable(
                    "\(tool.program) could not decompress it (\(TraceFile.text(of: status))); its message is above"))
        }
    }

    // MARK: - Pieces

    private func decode(_ descriptor: Int32, _ use: (TraceAccess) -> Void) throws(TraceError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
        defer { buffer.deallocate() }
        var decoder = TraceDecoder(format: format)
        do throws(TraceDamage) {
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw TraceDamage(place: .offset(0), reason: errorText()) }
                guard count > 0 else { break }
                try decoder.decode(UnsafeRawBufferPointer(rebasing: buffer[..<count]), use)
            }
            try decoder.finish(use)
        } catch {
            throw TraceError(path: path, reason: .damaged(error))
        }
    }

    func compression(of descriptor: Int32) throws(TraceError) -> Compression {
        if path.hasSuffix(".zst") { return .zstd }
        if path.hasSuffix(".gz") { return .gzip }
        if path.hasSuffix(".xz") { return .xz }
        var first = [UInt8](repeating: 0, count: 6)
        guard pread(descriptor, &first, first.count, 0) >= 0 else { throw error(.unreadable(errorText())) }
        if first.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return .zstd }
        if first.starts(with: [0x1F, 0x8B, 0x08]) { return .gzip }
        return first == [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00] ? .xz : .none
    }

    /// Starts `program -dc` with the file as its input and a pipe as its output.
    private func start(
        _ program: String, package: String, input: Int32
    ) throws(TraceError) -> (pid: pid_t, output: Int32) {
        var ends: [Int32] = [-1, -1]
        let failure = linux_pipe(&ends)
        guard failure == 0 else { throw error(.unreadable(String(cString: linux_error_text(-failure)))) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        linux_spawn_close_from(&actions, 3)
        var words: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup("-dc"), nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, program, &actions, nil, &words, environ)
        guard code == 0 else {
            close(ends[0])
            throw error(
                code == ENOENT
                    ? .toolMissing("\(program) is missing: apt-get install \(package)")
                    : .unreadable("\(program) cannot be started: \(String(cString: linux_error_text(code)))"))
        }
        return (pid, ends[0])
    }

    /// As wait(2) tells it; -1 when nobody can tell.
    private func exitStatus(of pid: pid_t) -> Int32 {
        var status: Int32 = -1
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// The encoding of wait(2): the low seven bits hold the signal, the next byte the exit code.
    private static func text(of status: Int32) -> String {
        status & 0x7F == 0 ? "exit code \((status >> 8) & 0xFF)" : "signal \(status & 0x7F)"
    }

    private func error(_ reason: TraceError.Reason) -> TraceError { TraceError(path: path, reason: reason) }
    private func errorText() -> String { String(cString: linux_error_text(errno)) }
}

/// Why a trace could not be read to its end.
package struct TraceError: Error, Hashable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable {
        case unreadable(String)
        case toolMissing(String)
        case undecodable(String)
        case damaged(TraceDamage)
    }

    package var path: String
    package var reason: Reason

    package init(path: String, reason: Reason) {
        self.path = path
        self.reason = reason
    }

    package var description: String {
        switch reason {
        case .unreadable(let text), .toolMissing(let text), .undecodable(let text): "\(path): \(text)"
        case .damaged(let damage): "\(path): \(damage)"
        }
    }
}
