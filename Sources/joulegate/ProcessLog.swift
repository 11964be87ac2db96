import Configuration
import Logging

/// Log lines on standard error.
enum ProcessLog {
    static func logger(level: LogLevel) -> Logger {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "joulegate")
        logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .info
        return logger
    }
}
