import type { Strings } from '../strings/en';

export const strings: Strings = {
  chat: '聊天', greeting: '今天我能帮您做什么？', placeholder: '给 AI 发消息', composer: '消息', send: '发送消息', stop: '停止回答',
  newChat: '新聊天', history: '聊天记录', closeHistory: '关闭记录', searchHistory: '搜索聊天', noThreads: '还没有聊天',
  noneFound: '没有标题匹配的聊天', untitled: '无标题聊天', today: '今天', yesterday: '昨天', earlier: '更早', rename: '重命名',
  delete: '删除', deleteQuestion: '要删除“{0}”吗？', cancel: '取消', save: '保存', options: '{0} 的选项', loadMore: '显示更多',
  loading: '正在加载', conversation: '对话', youSaid: '您说', assistantSaid: '助手说', answering: '助手正在回答', answered: '回答完毕',
  copy: '复制', copied: '已复制', copyCode: '复制代码', good: '回答得好', bad: '回答得不好', retry: '重试', scrollDown: '回到最新消息',
  thinking: '正在思考', thoughtFor: '思考了 {0}', seconds: '{0} 秒', minutes: '{0} 分钟', steps: '{0} 个步骤', sources: '来源',
  source: '来源 {0}', dismiss: '关闭', errorGeneric: '回答时出错了。', errorConnection: '连接中断。已收到的内容会保留。',
  errorUnreachable: '无法连接到服务器。', errorLoad: '无法加载此聊天。', errorNotFound: '此聊天不存在。', closed: '此聊天已关闭。',
  locked: '此聊天已锁定。', attach: '添加文件', attachments: '附件', removeFile: '移除 {0}', uploading: '{0}：{1}%',
  uploadFailed: '{0} 上传失败。', tooLarge: '{0} 超过 {1}。', tooMany: '最多 {0} 个文件。', wrongType: '不接受 {0} 的类型。',
  dropHere: '将文件拖放到此处', tools: '工具', removeTool: '不使用 {0}', model: '模型', mention: '提及', suggestions: '建议', commands: '命令',
  nothingFound: '未找到', dictate: '听写', stopDictating: '停止听写', transcribing: '正在转写', noMicrophone: '无法使用麦克风。',
  quote: '回复', removeQuote: '移除引用', quoted: '回复', submit: '提交回答', skip: '跳过', skipped: '已跳过', otherAnswer: '其他回答',
  image: '生成的图片', imageBlocked: '来自 {0} 的图片', showImage: '显示图片', toolRunning: '正在运行 {0}', toolDone: '已运行 {0}',
  showMore: '再显示 {0} 项', showLess: '收起', unknownWidget: '此部分（{0}）无法显示。', choose: '请选择…', clear: '清除', chart: '图表',
  details: '详情',
  chooseDate: '选择日期', previousYear: '上一年', previousMonth: '上个月', nextMonth: '下个月', nextYear: '下一年', time: '时间', done: '完成',
};
