// A little worker that tests start: it speaks the worker contract, or breaks it in one chosen way.
//
//   fixture-worker ready          says READY=1; ends politely at SIGTERM, after STOPPING=1
//   fixture-worker silent         serves, never says anything
//   fixture-worker crash          dies with code 3 at once
//   fixture-worker stubborn       ready, ignores SIGTERM
//   fixture-worker noisy N        writes N bytes to stdout, then as ready
//   fixture-worker tell           writes its arguments, environment and open descriptors to stdout, then as ready
//   fixture-worker notify TEXT    sends TEXT to NOTIFY_SOCKET and ends when it was read
//   fixture-worker client PATH    greets the keeper at PATH, says so on stdout, and listens until it is killed
//   fixture-worker grow N         as ready, with N MiB of touched memory
//
// While it serves, every connection to its sockets gets "PID" and a line end, and then its bytes back.
import CLinux
import Glibc

func text(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

func notify(_ message: String) {
    guard let path = text("NOTIFY_SOCKET") else { return }
    let bytes = Array(message.utf8)
    _ = linux_send_notice(path, bytes, bytes.count)
}

func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(STDOUT_FILENO, bytes, bytes.count)
}

func writeNoise(_ count: Int) {
    let line = Array((String(repeating: "x", count: 63) + "\n").utf8)
    for _ in 0..<(count / line.count) { _ = write(STDOUT_FILENO, line, line.count) }
}

func tell() {
    for argument in CommandLine.arguments { say("argument \(argument)") }
    var entry = environ
    while let current = entry.pointee {
        say("environment \(String(cString: current))")
        entry += 1
    }
    for descriptor in Int32(0)..<256 where fcntl(descriptor, F_GETFD) >= 0 { say("descriptor \(descriptor)") }
    say("pid \(getpid()) session \(getsid(0)) group \(getpgrp())")
    say("uid \(getuid()) gid \(getgid())")
    var set = sigset_t()
    sigprocmask(SIG_BLOCK, nil, &set)
    say("blocked \((1..<32).filter { sigismember(&set, $0) == 1 })")
    let mask = umask(0)
    say("umask \(String(mask, radix: 8))")
}

/// A client of the keeper's control socket in a process of its own, for tests that kill it.
func beClient(_ path: String) -> Int32 {
    let connection = linux_connect_unix(path, 0)
    let hello: [UInt8] = [5, 0, 0, 0, 1, 1, 0, 0, 0]  // a frame of five bytes: hello, version 1
    guard connection >= 0, write(connection, hello, hello.count) == hello.count else { return 1 }
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while read(connection, &buffer, buffer.count) > 0 { say("greeted") }
    return 1
}

/// Answers on every passed socket until SIGTERM (when `obeys`).
func serve(obeys: Bool, signals: Int32) {
    let count = Int32(text("LISTEN_FDS") ?? "") ?? 0
    var waits = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
    for descriptor in 3..<(3 + count) {
        // Workers share the socket: another may be quicker, and then accept must not wait for the next connection.
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        waits.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
    }
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
        guard poll(&waits, nfds_t(waits.count), -1) > 0 else { continue }
        if waits[0].revents != 0, linux_signals_next(signals) == SIGTERM, obeys { return }
        for wait in waits.dropFirst() where wait.revents != 0 {
            let connection = accept(wait.fd, nil, nil)
            guard connection >= 0 else { continue }
            let greeting = Array("\(getpid())\n".utf8)
            _ = write(connection, greeting, greeting.count)
            let received = read(connection, &buffer, buffer.count)
            if received > 0 { _ = write(connection, buffer, received) }
            close(connection)
        }
    }
}

let mode = CommandLine.arguments.dropFirst().first ?? ""
if mode == "tell" { tell() }  // before the worker changes anything itself
// Before READY=1, after which SIGTERM may come.
let signals = linux_signals_open()
let value = CommandLine.arguments.dropFirst(2).first ?? ""
switch mode {
case "crash": exit(3)
case "notify":
    notify(value)
    exit(linux_notice_barrier(text("NOTIFY_SOCKET") ?? "", 20_000) == 0 ? 0 : 1)
case "client": exit(beClient(value))
case "silent": serve(obeys: true, signals: signals)
case "stubborn":
    notify("READY=1")
    serve(obeys: false, signals: signals)
case "ready", "noisy", "tell", "grow":
    var memory: [UInt8] = []
    if mode == "noisy" { writeNoise(Int(value) ?? 0) }
    if mode == "grow" { memory = [UInt8](repeating: 1, count: (Int(value) ?? 0) << 20) }
    notify("READY=1\nSTATUS=\(memory.count) bytes held\n")
    serve(obeys: true, signals: signals)
    notify("STOPPING=1")
default:
    say("unknown mode \(mode)")
    exit(2)
}
