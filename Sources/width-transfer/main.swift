import Commands

WidthTransferCommand.main()
